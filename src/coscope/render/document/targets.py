"""A target -> its document: that of a class, or of a function or file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coscope.model import Function
from coscope.opcodes import table
from coscope.opcodes.sentences import sentence
from coscope.readers import Target
from coscope.render.document.classes import class_report
from coscope.render.document.report import Progress, report
from coscope.render.text.measured import without_surrogates as clean

if TYPE_CHECKING:
    from coscope.render.schemas import report as schema


def document_of(
    target: Target,
    *,
    detail: str,
    only: str | None = None,
    fields: bool = False,
    whole: bool = False,
    progress: Progress | None = None,
) -> schema.Document:
    """The document of what was named, for `show`, `dis` and `graph`.

    Args:
        target: What `locate` gave.
        detail: Which code objects get their whole card: "first", "all" or "none"; of a class,
            "first" is the own code of each function.
        only: Key of the one code object that gets its card instead; not of a class.
        fields: Add the raw fields of code object and function.
        whole: Add what no page shows: the findings of the static rules, the whole source text, the
            producers and the kinds of the values on the stack, a sentence for each opcode.
        progress: Called now and then.

    Raises:
        InputError: The target cannot be read.
    """
    if target.cls is not None:
        functions = [method.function for method in target.methods]
        found = class_report(
            target.cls,
            target=target.text,
            detail=detail,
            fields=fields,
            values=whole,
            progress=progress,
        )
        found["warnings"] += target.warnings
    else:
        functions = [target.function]
        found = report(
            target.function,
            target=target.text,
            detail=detail,
            only=only,
            fields=fields,
            values=whole,
            progress=progress,
        )
    if whole:
        _add_findings_and_text(found, functions)
        found["opcodes"] = sentences_of(found["codes"])
    return found


def sentences_of(codes: list[schema.Code]) -> dict[str, str]:
    """What each opcode that is shown does, in one sentence, by its name."""
    said: dict[str, str] = {}
    for code in codes:
        if code["detail"] is not None:
            rows = table(code["version"]).opcodes
            shown = {each["opname"] for each in code["detail"]["instructions"]} - said.keys()
            known = sorted(name for name in shown if name in rows)
            said |= {name: sentence(rows[name], code["version"]) for name in known}
    return dict(sorted(said.items()))


def _add_findings_and_text(document: schema.Document, functions: list[Function]) -> None:
    from coscope.render.document.findings import findings_in  # loads every rule

    document["findings"] = [each for function in functions for each in findings_in(function)]
    if document["source"] is not None:
        file = document["source"]["file"]
        for source in (function.source for function in functions):
            if source is not None and clean(source.file) == file:
                document["source"]["text"] = clean("\n".join(source.lines) + "\n")
                break
