"""Diagrams of boxes as SVG: columns from left to right, laid by hand, with no script in it."""

from __future__ import annotations

from html import escape as quoted

from coscope.render.drawings.boxes import Arrow, Box, Boxes
from coscope.render.text.graph_labels import line
from coscope.render.text.measured import cells

# All in pixels.
_CHARACTER = 7.3  # width of one cell of the font below
_LINE = 17
_PADDING = 9
_COLUMN_GAP = 150  # room for arrows and their labels
_ROW_GAP = 26
_MARGIN = 16
_TITLE = 30

_STYLE = (
    "text{font:12px ui-monospace,Menlo,Consolas,monospace;fill:#1f2328}"
    ".title{font-weight:600;font-size:14px}.label{font-size:10px;fill:#59636e;"
    "paint-order:stroke;stroke:#ffffff;stroke-width:3px}"
    "rect{fill:#ffffff;stroke:#59636e}.code rect{stroke-dasharray:1 2}"
    ".function rect{fill:#ddf4ff;stroke:#0969da}.cell rect{fill:#dafbe1;stroke:#1a7f37}"
    ".empty-cell rect{fill:#fff8c5;stroke:#9a6700;stroke-dasharray:4}"
    "path{fill:none;stroke:#59636e}.faint{stroke-dasharray:3;opacity:.7}"
)


def boxes_to_svg(diagram: Boxes) -> str:
    """A whole SVG document in UTF-8. It refers to nothing outside of it."""
    places = _places(diagram)
    width = max((x + w for x, _, w, _ in places.values()), default=200.0) + _COLUMN_GAP / 2
    height = max((y + h for _, y, _, h in places.values()), default=_TITLE) + 3 * _MARGIN
    title = line(diagram.title)
    width = max(width, _CHARACTER * 1.2 * cells(title) + 2 * _MARGIN)
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" role="img" aria-label="{quoted(title)}">',
        f"<style>{_STYLE}</style>",
        '<defs><marker id="coscope-tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" '
        'markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z" style="fill:#59636e"/></marker>'
        "</defs>",
        f'<text class="title" x="{_MARGIN}" y="{_MARGIN + 8}">{quoted(title)}</text>',
    ]
    out += [_box(box, places[box.name]) for box in diagram.boxes]
    out += _arrows(diagram.arrows, places)
    return "\n".join([*out, "</svg>"]) + "\n"


_Place = tuple[float, float, float, float]  # x, y, width, height


def _places(diagram: Boxes) -> dict[str, _Place]:
    """Where each box goes: columns as wide as their widest box, boxes below one another."""
    columns: dict[int, list[Box]] = {}
    for box in diagram.boxes:
        columns.setdefault(box.column, []).append(box)
    places: dict[str, _Place] = {}
    x = float(_MARGIN)
    for column in sorted(columns):
        sizes = [_size(box) for box in columns[column]]
        y = float(_MARGIN + _TITLE)
        for box, (width, height) in zip(columns[column], sizes, strict=True):
            places[box.name] = (x, y, width, height)
            y += height + _ROW_GAP
        x += max(width for width, _ in sizes) + _COLUMN_GAP
    return places


def _size(box: Box) -> tuple[float, float]:
    widest = max((cells(line(text)) for text in box.lines), default=0)
    return widest * _CHARACTER + 2 * _PADDING, len(box.lines) * _LINE + 2 * _PADDING


def _box(box: Box, place: _Place) -> str:
    x, y, width, height = place
    corner = 3 if box.kind in ("code", "function") else 12
    texts = "".join(
        f'<text x="{x + _PADDING:.1f}" y="{y + _PADDING + _LINE * at + 12:.1f}" '
        f'xml:space="preserve">{quoted(line(text))}</text>'
        for at, text in enumerate(box.lines)
    )
    return (
        f'<g class="{box.kind.replace(" ", "-")}"><rect x="{x:.1f}" y="{y:.1f}" '
        f'width="{width:.1f}" height="{height:.1f}" rx="{corner}"/>{texts}</g>'
    )


def _arrows(arrows: tuple[Arrow, ...], places: dict[str, _Place]) -> list[str]:
    """Every arrow; those that leave or reach one side of a box are spread over it."""
    leaving = _spread([a.source for a in arrows], [places[a.target][1] for a in arrows])
    reaching = _spread([a.target for a in arrows], [places[a.source][1] for a in arrows])
    return [
        _arrow(arrow, places[arrow.source], places[arrow.target], start, end)
        for arrow, start, end in zip(arrows, leaving, reaching, strict=True)
    ]


def _spread(boxes: list[str], heights: list[float]) -> list[float]:
    """For each arrow where on its box's side it is, 0 the top and 1 the bottom."""
    found = [0.5] * len(boxes)
    for box in set(boxes):
        mine = sorted((heights[at], at) for at in range(len(boxes)) if boxes[at] == box)
        for rank, (_, at) in enumerate(mine):
            found[at] = (rank + 1) / (len(mine) + 1)
    return found


def _arrow(arrow: Arrow, source: _Place, target: _Place, leaves: float, reaches: float) -> str:
    """A curve from the right side of a box to the left of another, or back below them."""
    x1, y1, w1, h1 = source
    x2, y2, w2, h2 = target
    if x2 > x1:
        start, end = (x1 + w1, y1 + h1 * leaves), (x2, y2 + h2 * reaches)
        reach = max(30.0, (end[0] - start[0]) / 2)
        bends = (start[0] + reach, start[1], end[0] - reach, end[1])
    elif x2 == x1:
        start, end = (x1 + w1, y1 + h1 * leaves), (x2 + w2, y2 + h2 * reaches)
        out = max(start[0], end[0]) + 40
        bends = (out, start[1], out, end[1])
    else:
        start, end = (x1 + w1 * leaves, y1 + h1), (x2 + w2 * reaches, y2 + h2)
        below = max(start[1], end[1]) + 34
        bends = (start[0], below, end[0], below)
    kind = ' class="faint"' if arrow.faint else ""
    curve = (
        f"M{start[0]:.1f} {start[1]:.1f}C{bends[0]:.1f} {bends[1]:.1f} "
        f"{bends[2]:.1f} {bends[3]:.1f} {end[0]:.1f} {end[1]:.1f}"
    )
    label = ""
    if arrow.label:
        # The middle of a cubic curve.
        x = (start[0] + 3 * bends[0] + 3 * bends[2] + end[0]) / 8
        y = (start[1] + 3 * bends[1] + 3 * bends[3] + end[1]) / 8 - 4
        label = (
            f'<text class="label" x="{x:.1f}" y="{y:.1f}" text-anchor="middle">'
            f"{quoted(line(arrow.label))}</text>"
        )
    return f'<path{kind} d="{curve}" marker-end="url(#coscope-tip)"/>{label}'
