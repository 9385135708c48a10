"""Pages as HTML: a fragment for a notebook, and a file of its own.

A page is a `<pre>` of the same lines as in the terminal, so that it is readable wherever a
sanitiser takes style sheets, classes or styles away, as JupyterLab does in a notebook that is not
trusted, and GitHub always. What it looks like on top of that follows the text colour around it,
whatever theme that is of. Every text goes through `html.escape`; there is no script.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape as quoted
from typing import TYPE_CHECKING

from coscope.render.pages.sheet import Line, Sheet
from coscope.render.pages.sheets import card_sheet
from coscope.render.text.measured import Pen

if TYPE_CHECKING:
    from coscope.render.schemas import report as schema

_WIDTH = 100  # cells of a page

# What a page needs to be readable, and what beats a host's own rules for <pre>.
_ESSENTIAL = (
    "white-space:pre;overflow-x:auto;font-family:ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',"
    "monospace;font-size:13px;line-height:1.45;margin:0;padding:4px 0;border:0;"
    "background-color:transparent;color:inherit;text-align:left"
)
_BOLD = frozenset({"heading", "title", "error"})

# Each colour is mixed into the text colour of the host: a light theme darkens it, a dark one
# lightens it. A browser that cannot mix shows everything in the text colour.
_HUES = {
    "#0969da": ("name", "operand", "jump"),
    "#1a7f37": ("value", "mark", "specialized"),
    "#8250df": ("kind", "type"),
    "#bc4c00": ("block", "warning", "generic"),
    "#cf222e": ("error", "missing"),
}
_FAINT = ("faint", "frame", "offset", "line-number")


def _style() -> str:
    rules = [
        f"{','.join(f'.coscope .{role}' for role in roles)}"
        f"{{color:color-mix(in srgb,currentColor 40%,{hue})}}"
        for hue, roles in _HUES.items()
    ]
    faint = ",".join(f".coscope .{role}" for role in _FAINT)
    return "".join([*rules, f"{faint}{{opacity:.75}}"])


STYLE = _style()


def to_html(document: schema.Document) -> str:
    """A fragment for one function, or for a file's tree."""
    return sheet_to_html(card_sheet(document, Pen(_WIDTH)))


def sheet_to_html(sheet: Sheet) -> str:
    """Any page as a fragment that needs nothing around it."""
    return f'<div class="coscope"><style>{STYLE}</style>{pre(sheet)}</div>'


def pre(sheet: Sheet) -> str:
    """The lines of a page, with the least that it needs to be readable."""
    body = "\n".join(map(_line, sheet.clipped()))
    return f'<pre class="coscope-page" style="{_ESSENTIAL}">{body}</pre>'


def _line(line: Line) -> str:
    return "".join(_piece(text, role) for text, role in line)


def _piece(text: str, role: str) -> str:
    if role == "plain" or not text.strip():
        return quoted(text)
    tag = "b" if role in _BOLD else "span"
    return f'<{tag} class="{role.replace(" ", "-")}">{quoted(text)}</{tag}>'


_PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>:root{{color-scheme:light dark}}body{{margin:2em auto;max-width:max-content;padding:0 1.5em;\
color:#1f2328;background:#fff}}svg{{max-width:100%;height:auto;margin:1em 0}}\
@media(prefers-color-scheme:dark){{body{{color:#e6edf3;background:#0d1117}}}}{style}</style>
</head>
<body>
<main class="coscope">
{body}
</main>
</body>
</html>
"""


def to_page(title: str, sheet: Sheet, drawings: Iterable[str] = ()) -> str:
    """A file of its own: it opens from `file://`, and asks for nothing.

    Args:
        title: Of the window.
        sheet: The page.
        drawings: SVG documents to put above it.
    """
    body = "\n".join([*drawings, pre(sheet)])
    return _PAGE.format(title=quoted(title), style=STYLE, body=body)
