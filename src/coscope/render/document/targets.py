"""A target -> its document: that of a class, or of a function or file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coscope.readers import Target
from coscope.render.document.classes import class_report
from coscope.render.document.report import Progress, report

if TYPE_CHECKING:
    from coscope.render.schemas import report as schema


def document_of(
    target: Target,
    *,
    detail: str,
    fields: bool = False,
    progress: Progress | None = None,
) -> schema.Document:
    """The document of what was named, for `show`, `dis` and `graph`.

    Args:
        target: What `locate` gave.
        detail: Which code objects get their whole card: "first", "all" or "none"; of a class,
            "first" is the own code of each function.
        fields: Add the raw fields of code object and function.
        progress: Called now and then.

    Raises:
        InputError: The target cannot be read.
    """
    if target.cls is not None:
        found = class_report(
            target.cls, target=target.text, detail=detail, fields=fields, progress=progress
        )
        found["warnings"] += target.warnings
        return found
    return report(
        target.function, target=target.text, detail=detail, fields=fields, progress=progress
    )
