"""The control-flow graph as text: a line for each block's condition with its two ways out.

B0   2  if a                     true → B1        false → B2
B1   2  if b                     true → B3        false → B2
B2   2  if c                     true → B3        false → B4
B3   2  return 1
B4   2  return 2
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from coscope.render.document.shared import detail_of
from coscope.render.pages.sheet import Line, Piece, Sheet
from coscope.render.text.graph_labels import condition_of
from coscope.render.text.measured import cells

if TYPE_CHECKING:
    from coscope.render.schemas import report as schema


# The words for the edges of a block, in the order in which they are shown.
_EDGES = 47  # cells: two ways out and the exceptional one
_WAY = 14
_ORDER = ("true", "false", "next", "jump", "exception")


def add_graph(sheet: Sheet, entry: schema.Code) -> None:
    """Add the graph of one code object."""
    detail = detail_of(entry)
    blocks, loops = detail["blocks"], detail["loops"]
    note = f"{entry['kind']}, {_count(len(blocks), 'block')}, {_count(len(loops), 'loop')}"
    sheet.heading(entry["qualname"], note)
    heads = {loop["head"]: loop for loop in loops}
    rows = [(block, _rows(block)) for block in blocks]
    number = _number_width(blocks)
    text = max([8, *(cells(sheet.pen.clean(row)) for _, found in rows for row in found)])
    text = min(text, sheet.pen.width - number - 9 - _EDGES)
    for block, found in rows:
        _add_block(sheet, block, found, (number, text), heads.get(block["name"]))


def _count(number: int, what: str) -> str:
    return f"{number or 'no'} {what}" + ("" if number == 1 else "s")


def _rows(block: schema.Block) -> list[str]:
    """What the block does, its condition last."""
    rows = [step["text"] for step in block["steps"]]
    condition = condition_of(block)
    if condition is not None:
        rows.append(condition)
    return rows or [""]


def _number_width(blocks: list[schema.Block]) -> int:
    """Width of the widest line number."""
    lines = [step["line"] for block in blocks for step in block["steps"]]
    lines += [block["line"] for block in blocks]
    return max([2, *(len(str(line)) for line in lines if line)])


def _add_block(
    sheet: Sheet,
    block: schema.Block,
    rows: list[str],
    widths: tuple[int, int],
    loop: schema.Loop | None,
) -> None:
    pen = sheet.pen
    number, room = widths
    lines = [step["line"] for step in block["steps"]]
    lines += [block["last_line"]] * (len(rows) - len(lines))
    before = None
    for at, (row, line) in enumerate(zip(rows, lines, strict=True)):
        first, last = at == 0, at == len(rows) - 1
        shown = "" if line is None or line == before else str(line)
        before = line
        pieces: list[Piece] = [
            (f"{block['name'] if first else '':<4} ", "block"),
            (f"{shown:>{number}}  ", "line number"),
            (pen.pad(row, room) + "  ", "source"),
        ]
        if last:
            pieces += edges_line(sheet, block)
        sheet.add(*pieces)
    notes = []
    if loop is not None:
        notes.append(f"↺ loop head of {', '.join(loop['blocks'])}")
    if not block["reachable"]:
        notes.append("unreachable")
    for note in notes:
        sheet.add((" " * (7 + number) + pen.fit(note, pen.width - 7 - number), "faint"))


def edges_line(sheet: Sheet, block: schema.Block) -> Line:
    """The ways out of a block, the exceptional one last and in a column of its own."""
    pieces: Line = []
    at = 0
    for edge in sorted(block["edges"], key=lambda edge: _ORDER.index(edge["kind"])):
        raises = edge["kind"] == "exception"
        shown = sheet.pen.clean(f"{edge_word(edge)} → {edge['target']}" + " ↺" * edge["back"])
        if raises and at < 2 * (_WAY + 2):
            pieces.append((" " * (2 * (_WAY + 2) - at), "plain"))
        size = max(_WAY, cells(shown))
        at += size + 2
        role = "warning" if raises else "jump"
        pieces.append((shown + " " * (size - cells(shown) + 2), role))
    return pieces


def edge_word(edge: schema.Edge) -> str:
    """One word for a way out."""
    if edge["kind"] == "exception":
        return "raises"
    if edge["kind"] == "jump":
        return str(edge["label"] or "next")
    return str(edge["kind"])
