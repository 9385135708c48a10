"""The document: one plain dict that every rendering is made from.

Its keys are described in docs/schema.md and held by schema.json. It consists of dicts, lists,
strings that have a UTF-8 form, ints, bools and None, and so is strict JSON as it is.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from coscope.errors import CoscopeError, NoCodeObject, SourceError, TargetNotFound
from coscope.model import Code, Function
from coscope.render.document.codes import Detail, identity
from coscope.render.document.fields import fields_of
from coscope.render.text.measured import without_surrogates as clean

if TYPE_CHECKING:
    from coscope.render.schemas import report as schema
    from coscope.render.schemas import shared

SCHEMA_VERSION: Literal[1] = 1

Progress = Callable[[int, int], None]  # code objects done, code objects in all


def report(
    function: Function,
    *,
    target: str | None = None,
    detail: str = "first",
    only: str | None = None,
    fields: bool = False,
    values: bool = False,
    progress: Progress | None = None,
) -> schema.Document:
    """Say everything about a function, or about a file's code objects.

    Args:
        function: What a reader gave.
        target: What the user named; the qualified name if not given.
        detail: Which code objects get their whole card: "first", "all" or "none".
        only: Key of the one code object that gets its card instead.
        values: Add the producers and the kinds of the values on the stack.
        fields: Add the raw fields of code object and function.
        progress: Called after each code object.

    Raises:
        CodeError: A code object contradicts itself.
        TargetNotFound: No code object has the key `only`.
    """
    document = frame(target or function.qualname)
    document["origin"] = function.origin
    document["live"] = function.live
    document["module"] = None if function.module is None else clean(function.module)
    document["doc"] = None if function.doc is None else clean(function.doc)
    document["via"] = [clean(step) for step in function.via]
    document["warnings"] = [clean(warning) for warning in function.warnings]
    codes = tree_of(function.code)
    entries = [identity(code, index, parent) for index, (code, parent) in enumerate(codes)]
    document["codes"] = entries
    number_keys(entries)
    wanted = _wanted(entries, detail, only)
    for index, (code, _) in enumerate(codes):
        if index in wanted:
            entries[index]["detail"] = card_of(function, code, fields=fields, values=values)
        if progress is not None:
            progress(index + 1, len(codes))
    _raise_last_lines(entries)
    document["source"] = source_of(function, entries)
    return document


def card_of(function: Function, code: Code, *, fields: bool, values: bool) -> schema.Detail:
    """The whole card of a function's own code, or of a code object nested in it."""
    is_own = code is function.code
    part = function if is_own else nested(function, code)
    lines = () if function.source is None else function.source.lines
    card = Detail(part, lines, None if is_own else function.code, values=values).entry()
    if fields:
        card["fields"] = fields_of(part)
    return card


def error_document(error: BaseException, target: str | None = None) -> schema.Document:
    """The document of what could not be read."""
    document = frame(target or "")
    document["error"] = error_entry(error)
    return document


def error_entry(error: BaseException) -> schema.Error:
    """An error in a document."""
    entry: schema.Error = {"type": type(error).__name__, "message": clean(str(error))}
    if isinstance(error, CoscopeError):
        entry["what"] = clean(error.what)
        entry["file"] = _cleaned(error.file)
        entry["code"] = _cleaned(error.code)
        entry["offset"] = error.offset
        entry["line"] = error.line
        entry["expected"] = _plain(error.expected)
        entry["found"] = _plain(error.found)
        entry["hint"] = _cleaned(error.hint)
    if isinstance(error, SourceError):
        entry["text"] = _cleaned(error.text)
        entry["column"] = error.column
    if isinstance(error, NoCodeObject):
        entry["signature"] = _cleaned(error.signature)
        entry["doc"] = _cleaned(error.doc)
        entry["functions"] = [clean(name) for name in error.functions]
    if error.__cause__ is not None:
        import traceback

        cause = traceback.format_exception_only(error.__cause__)[-1]
        entry["cause"] = clean(cause.strip())
    return entry


def _plain(value: object) -> str | int | None:
    return value if value is None or type(value) is int else clean(str(value))


def _cleaned(text: str | None) -> str | None:
    return None if text is None else clean(text)


def header() -> shared.Header:
    """What every document begins with: the version of its form, and who made it."""
    return {
        "schema_version": SCHEMA_VERSION,
        "producer": {
            "name": "coscope",
            "version": producer_version(),
            "python": sys.version.split()[0],
        },
    }


def frame(target: str) -> schema.Document:
    """An empty document of a target."""
    opening = header()
    return {
        "schema_version": opening["schema_version"],
        "producer": opening["producer"],
        "target": clean(target),
        "origin": None,
        "live": None,
        "module": None,
        "doc": None,
        "via": [],
        "source": None,
        "codes": [],
        "findings": None,
        "warnings": [],
        "error": None,
    }


def producer_version() -> str:
    """coscope's own version."""
    # The package around this module is loaded; asking importlib.metadata would cost 20 ms.
    package = sys.modules[__name__.partition(".")[0]]
    return str(vars(package)["__version__"])


def tree_of(code: Code) -> list[tuple[Code, int | None]]:
    """Every code object with the index of the one that holds it, depth first."""
    found: list[tuple[Code, int | None]] = []
    pending: list[tuple[Code, int | None]] = [(code, None)]
    while pending:
        current, parent = pending.pop()
        index = len(found)
        found.append((current, parent))
        nested = [constant for constant in current.consts if isinstance(constant, Code)]
        pending.extend((child, index) for child in reversed(nested))
    return found


def nested(function: Function, code: Code) -> Function:
    """A nested code object as a function without anything live."""
    return replace(
        function,
        code=code,
        name=code.name,
        qualname=code.qualname,
        live=False,
        doc=None,
        defaults=(),
        kwdefaults=(),
        annotations=(),
        cells=(),
        attributes=(),
        via=(),
        warnings=(),
        object=None,
    )


def number_keys(entries: list[schema.Code]) -> None:
    """Give code objects of one name different keys, by their order in the file."""
    seen: Counter[str] = Counter()
    for entry in sorted(entries, key=lambda entry: entry["first_line"]):
        seen[entry["qualname"]] += 1
        number = seen[entry["qualname"]]
        if number > 1:
            entry["key"] = f"{entry['qualname']}#{number}"


def _wanted(entries: list[schema.Code], detail: str, only: str | None) -> Collection[int]:
    """Indexes of the code objects that get their card."""
    if only is None:
        return range({"first": 1, "all": len(entries)}.get(detail, 0))
    found = [entry["index"] for entry in entries if entry["key"] == only]
    if not found:
        raise TargetNotFound(f"no code object has the key {only!r}")
    return found


def _raise_last_lines(entries: list[schema.Code]) -> None:
    """A code object reaches at least as far down as those inside it."""
    for entry in reversed(entries):
        if entry["parent"] is not None:
            parent = entries[entry["parent"]]
            parent["last_line"] = max(parent["last_line"], entry["last_line"])


def source_of(function: Function, entries: list[schema.Code]) -> schema.Source | None:
    """The source's identity, and those of its lines that a shown instruction names."""
    if function.source is None:
        return None
    numbers: set[int] = set()
    for entry in entries:
        if entry["detail"] is not None:
            lines = (i["line"] for i in entry["detail"]["instructions"])
            numbers.update(line for line in lines if line)
    text = function.source.lines
    return {
        "file": clean(function.source.file),
        "sha256": function.source.sha256,
        "lines": {str(n): clean(text[n - 1]) for n in sorted(numbers) if n <= len(text)},
    }
