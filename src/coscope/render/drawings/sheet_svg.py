"""Any page as SVG: its lines in a fixed-width font, each piece in the colour of its role."""

from __future__ import annotations

from html import escape as quoted

from coscope.render.pages.sheet import Line, Sheet
from coscope.render.text.measured import cells

# All in pixels.
_CHARACTER = 7.3  # width of one cell of the font below
_LINE = 18
_MARGIN = 16

_STYLE = (
    "text{font:12px ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',monospace;fill:#1f2328}"
    ".page{fill:#ffffff}.heading,.title{font-weight:600}"
    ".faint,.frame,.offset,.line-number{fill:#59636e}.name,.operand,.jump{fill:#0550ae}"
    ".value,.mark,.specialized{fill:#116329}.kind,.type{fill:#8250df}"
    ".block,.warning,.generic{fill:#953800}.error,.missing{fill:#a40e26}"
    "@media(prefers-color-scheme:dark){text{fill:#e6edf3}.page{fill:#0d1117}"
    ".faint,.frame,.offset,.line-number{fill:#9198a1}.name,.operand,.jump{fill:#79c0ff}"
    ".value,.mark,.specialized{fill:#7ee787}.kind,.type{fill:#d2a8ff}"
    ".block,.warning,.generic{fill:#ffa657}.error,.missing{fill:#ff7b72}}"
)


def sheet_to_svg(sheet: Sheet, title: str) -> str:
    """A whole SVG document in UTF-8, light and dark; it refers to nothing outside of it."""
    lines = list(sheet.clipped())
    widest = max((sum(cells(text) for text, _ in line) for line in lines), default=0)
    width = widest * _CHARACTER + 2 * _MARGIN
    height = len(lines) * _LINE + 2 * _MARGIN
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" role="img" aria-label="{quoted(title)}">',
        f'<style>{_STYLE}</style><rect class="page" width="100%" height="100%"/>',
    ]
    out += [_text(line, at) for at, line in enumerate(lines) if line]
    return "\n".join([*out, "</svg>"]) + "\n"


def _text(line: Line, number: int) -> str:
    """One line; every piece has its own place, so that fonts of other widths stay in columns."""
    y = _MARGIN + _LINE * number + 13
    column = 0
    pieces = []
    for text, role in line:
        if text.strip():
            lead = len(text) - len(text.lstrip(" "))
            shown = text.strip(" ")
            x = _MARGIN + (column + lead) * _CHARACTER
            length = cells(shown) * _CHARACTER
            pieces.append(
                f'<tspan x="{x:.1f}" textLength="{length:.1f}" lengthAdjust="spacingAndGlyphs"'
                f' class="{role.replace(" ", "-")}">{quoted(shown)}</tspan>'
            )
        column += cells(text)
    return f'<text y="{y}" xml:space="preserve">{"".join(pieces)}</text>'
