"""Documents and pages of the results in `facts/`: one module a command, found by its name.

The module of a `Result` class has `document(result) -> dict` (strict JSON data, see
docs/schema.md) and `sheet(document, pen) -> Sheet`.
"""

from __future__ import annotations

from importlib import import_module
from types import ModuleType
from typing import Any

from coscope.errors import InternalError
from coscope.render.pages.sheet import Sheet
from coscope.render.text.measured import Pen
from coscope.render.to_html import sheet_to_html
from coscope.result import Result

# Class of the result -> module in this folder, which has the name of the command.
_MODULES = {
    "Dependencies": "depends",
    "Closure": "closure",
    "Capture": "capture",
    "Binding": "call",
    "Trace": "call",
    "Signatures": "signature",
    "Fingerprint": "fingerprint",
    "Difference": "diff",
    "Report": "verify",
    "TrustReport": "trust",
    "Trial": "tune",
    "Audit": "audit",
    "Receipt": "patch",
    "FilePatch": "patch",
    "Explanation": "explain_opcode",
    "Diagnosis": "explain",
    "Coverage": "coverage",
    "Attached": "attach",
}


def render(result: Result, form: str) -> Any:
    """A result as "json" (its document), "text" or "html"."""
    module = _module(result)
    document = module.document(result)
    if form == "json":
        return document
    sheet: Sheet = module.sheet(document, Pen(100))
    return sheet_to_html(sheet) if form == "html" else str(sheet)


def document_of(result: Result) -> dict[str, Any]:
    """The document of a result."""
    document: dict[str, Any] = _module(result).document(result)
    return document


def sheet_of(result: Result, document: dict[str, Any], pen: Pen) -> Sheet:
    """The page of a result whose document is made already."""
    sheet: Sheet = _module(result).sheet(document, pen)
    return sheet


def _module(result: Result) -> ModuleType:
    for kind in type(result).__mro__:
        if kind.__name__ in _MODULES:
            return import_module(f"{__name__}.{_MODULES[kind.__name__]}")
    raise InternalError(f"no renderer for a result of type {type(result).__name__}")
