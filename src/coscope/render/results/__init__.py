"""Documents and pages of the results in `facts/`: one module a command, found by its name.

The module of a `Result` class has `document(result) -> dict` (strict JSON data, see
docs/schema.md) and `sheet(document, pen) -> Sheet`.
"""

from __future__ import annotations

from html import escape as quoted
from importlib import import_module
from types import ModuleType
from typing import Any

from coscope.errors import InternalError
from coscope.render.pages.sheet import Sheet
from coscope.render.text.measured import Pen
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
    "Receipt": "patch",
    "FilePatch": "patch",
    "Explanation": "explain_opcode",
    "Diagnosis": "explain",
}

STYLE = (
    ".coscope-result{font:13px/1.5 ui-monospace,Menlo,Consolas,monospace;white-space:pre;"
    "overflow-x:auto;color:inherit}"
    ".coscope-result .heading,.coscope-result .title{font-weight:600}"
    ".coscope-result .faint,.coscope-result .frame,.coscope-result .offset{opacity:.65}"
    ".coscope-result .name,.coscope-result .operand{color:#0969da}"
    ".coscope-result .value,.coscope-result .mark{color:#1a7f37}"
    ".coscope-result .kind,.coscope-result .type{color:#8250df}"
    ".coscope-result .warning{color:#9a6700}.coscope-result .error{color:#cf222e}"
)


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


def sheet_to_html(sheet: Sheet) -> str:
    """Any sheet as a self-contained HTML fragment; every text is escaped."""
    lines = (
        "".join(
            quoted(text)
            if role == "plain"
            else f'<span class="{role.replace(" ", "-")}">{quoted(text)}</span>'
            for text, role in line
        )
        for line in sheet.clipped()
    )
    body = "\n".join(lines)
    return f'<style>{STYLE}</style><div class="coscope-result">{body}</div>'


def _module(result: Result) -> ModuleType:
    for kind in type(result).__mro__:
        if kind.__name__ in _MODULES:
            return import_module(f"{__name__}.{_MODULES[kind.__name__]}")
    raise InternalError(f"no renderer for a result of type {type(result).__name__}")
