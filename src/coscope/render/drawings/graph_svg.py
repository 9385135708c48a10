"""The control-flow graph as SVG: blocks below one another, jumps as lines beside them.

Blocks stand in code order, so that falling through is the way down. A jump forward runs on the
right, a jump back on the left, an exception on the far right; each in the lane nearest to the
blocks that is free over its whole length.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape as quoted
from typing import TYPE_CHECKING

from coscope.render.text.graph_labels import line
from coscope.render.text.measured import cells, shorten

if TYPE_CHECKING:
    from coscope.render.schemas import report as schema

# All in pixels.
_CHARACTER = 7.3
_LINE = 17
_PADDING = 9
_GAP = 30  # between blocks
_LANE = 14  # between lines that run beside one another
_MARGIN = 20
_TITLE = 30
_WIDEST = 60  # cells of a block's text
_MOST_STEPS = 12  # lines of a block's text
_LABEL = 34  # cells of the label of an edge

_STYLE = (
    "text{font:12px ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',monospace;fill:#1f2328}"
    ".page{fill:#ffffff}.title{font-weight:600;font-size:14px}.block{fill:#f6f8fa;stroke:#59636e}"
    ".dead{stroke-dasharray:4;opacity:.6}.head{stroke-width:2.5}.label{font-size:10px}"
    "path{fill:none;stroke:#59636e}.true{stroke:#1a7f37}.false{stroke:#cf222e}"
    ".exception{stroke:#9a6700;stroke-dasharray:4}.faint{fill:#59636e}"
    "@media(prefers-color-scheme:dark){text{fill:#e6edf3}.page{fill:#0d1117}"
    ".block{fill:#151b23;stroke:#9198a1}path{stroke:#9198a1}.true{stroke:#3fb950}"
    ".false{stroke:#ff7b72}.exception{stroke:#d29922}.faint{fill:#9198a1}}"
)


@dataclass
class _Placed:
    """One block where it goes."""

    block: schema.Block
    lines: list[str]
    top: float
    height: float


@dataclass
class _Lanes:
    """Lines beside the blocks, and which stretch of each lane is taken."""

    taken: list[list[tuple[float, float]]] = field(default_factory=list)

    def place(self, start: float, stop: float) -> int:
        """The nearest lane that is free between two heights."""
        low, high = min(start, stop), max(start, stop)
        for number, spans in enumerate(self.taken):
            if all(high < other[0] or other[1] < low for other in spans):
                spans.append((low, high))
                return number
        self.taken.append([(low, high)])
        return len(self.taken) - 1


def to_svg(document: schema.Document) -> str:
    """The graph of the first code object with detail."""
    shown = [code for code in document["codes"] if code["detail"] is not None]
    return code_svg(shown[0]) if shown else ""


def code_svg(code: schema.Code) -> str:
    """A whole SVG document in UTF-8. It refers to nothing outside of it."""
    blocks = [] if code["detail"] is None else code["detail"]["blocks"]
    placed = _placed(blocks)
    inner = max((cells(text) for each in placed.values() for text in each.lines), default=10)
    width = inner * _CHARACTER + 2 * _PADDING
    right, left = _Lanes(), _Lanes()
    edges = [(each, edge) for each in placed.values() for edge in each.block["edges"]]
    paths = [_Edge(source, placed[edge["target"]], edge) for source, edge in edges]
    for path in sorted(paths, key=lambda path: abs(path.stop - path.start)):
        path.take(left if path.back else right)
    room = _MARGIN + _LANE * (len(left.taken) + 1)
    full = room + width + _LANE * (len(right.taken) + 1) + _LABEL * 6.2 + _MARGIN
    height = max((each.top + each.height for each in placed.values()), default=_TITLE) + _MARGIN
    title = line(code["qualname"])
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{full:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {full:.0f} {height:.0f}" role="img" '
        f'aria-label="control flow of {quoted(title)}">',
        f"<style>{_STYLE}</style>",
        '<defs><marker id="coscope-end" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" '
        'markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z" style="fill:#888;stroke:none"/>'
        "</marker></defs>",
        '<rect class="page" width="100%" height="100%"/>',
        f'<text class="title" x="{_MARGIN}" y="{_MARGIN + 4}">{quoted(title)}</text>',
    ]
    out += [_block(each, room, width) for each in placed.values()]
    out += [path.drawn(room, width) for path in paths]
    return "\n".join([*out, "</svg>"]) + "\n"


def _placed(blocks: Sequence[schema.Block]) -> dict[str, _Placed]:
    found: dict[str, _Placed] = {}
    y = float(_MARGIN + _TITLE)
    for block in blocks:
        texts = [step["text"] for step in block["steps"]]
        if len(texts) > _MOST_STEPS:
            more = f"... {len(texts) - _MOST_STEPS + 1} more"
            texts = [*texts[: _MOST_STEPS - 1], more]
        where = "" if block["line"] is None else f"  line {block['line']}"
        lines = [f"{block['name']}{where}", *(shorten(line(text), _WIDEST) for text in texts)]
        height = len(lines) * _LINE + 2 * _PADDING
        found[block["name"]] = _Placed(block, lines, y, height)
        y += height + _GAP
    return found


def _block(placed: _Placed, x: float, width: float) -> str:
    block = placed.block
    look = "block" + ("" if block["reachable"] else " dead") + " head" * block["loop_head"]
    texts = "".join(
        f'<text{"" if at else " class=" + chr(34) + "faint" + chr(34)} x="{x + _PADDING:.1f}" '
        f'y="{placed.top + _PADDING + _LINE * at + 12:.1f}" xml:space="preserve">'
        f"{quoted(text)}</text>"
        for at, text in enumerate(placed.lines)
    )
    return (
        f'<g id="{block["name"]}"><rect class="{look}" x="{x:.1f}" y="{placed.top:.1f}" '
        f'width="{width:.1f}" height="{placed.height:.1f}" rx="4"/>{texts}</g>'
    )


class _Edge:
    """One edge, and the lane that it runs in."""

    def __init__(self, source: _Placed, target: _Placed, edge: schema.Edge) -> None:
        self.edge = edge
        self.back = target.top <= source.top
        self.start = source.top + source.height - 8
        self.stop = target.top + 10
        # To the next block, if nothing but falling through leads there: straight down.
        self.straight = not self.back and target.top - source.top - source.height <= _GAP + 1
        self.down = (source.top + source.height, target.top)
        self.lane = 0

    def take(self, lanes: _Lanes) -> None:
        if not self.straight:
            self.lane = lanes.place(self.start, self.stop)

    def drawn(self, x: float, width: float) -> str:
        """The line, its head, and its label beside it."""
        kind = self.edge["kind"]
        if self.straight:
            at = x + width / (3 if kind in ("false", "exception") else 2)
            line_ = f"M{at:.1f} {self.down[0]:.1f}V{self.down[1]:.1f}"
            place = (at + 6, self.down[0] + 18)
        elif self.back:
            side = x - _LANE * (self.lane + 1)
            line_ = f"M{x:.1f} {self.start:.1f}H{side:.1f}V{self.stop:.1f}H{x:.1f}"
            place = (side + 3, self.start - 4)
        else:
            edge = x + width
            side = edge + _LANE * (self.lane + 1)
            line_ = f"M{edge:.1f} {self.start:.1f}H{side:.1f}V{self.stop:.1f}H{edge:.1f}"
            place = (side + 3, self.start + 12)
        path = f'<path class="{kind}" d="{line_}" marker-end="url(#coscope-end)"/>'
        told = kind if kind in ("true", "false") else ""
        words = " ".join(filter(None, (told, self.edge["label"] or "")))
        if not words:
            return path
        text = quoted(shorten(line(words), _LABEL))
        return f'{path}<text class="label" x="{place[0]:.1f}" y="{place[1]:.1f}">{text}</text>'
