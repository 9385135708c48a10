"""The diagram of cells: cellvars -> freevars -> __closure__."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from coscope.render.document.shared import detail_of
from coscope.render.pages.sheet import Line, Sheet
from coscope.render.pages.wording import sharer_text, user_text
from coscope.render.text.measured import Pen, cells

if TYPE_CHECKING:
    from coscope.render.schemas import report as schema


def add_cells(sheet: Sheet, entry: schema.Code) -> None:
    """Add the cells that come to the code from outside, and those that it owns."""
    found = detail_of(entry)["cells"]
    if found["free"]:
        sheet.heading("Cells from outside", "owner's cellvar → freevar here → cell in __closure__")
        for cell in found["free"]:
            sheet.extend(_free(sheet.pen, entry, cell))
        if found["search"] and any(cell["sharers"] for cell in found["free"]):
            more = "" if found["complete"] else "; the search stopped at its bound"
            sheet.add((f"  searched: {found['search']}{more}", "faint"))
    if found["own"]:
        sheet.heading("Own cells", "cellvar here → freevar of nested code")
        for own in found["own"]:
            sheet.extend(_own(sheet.pen, own))


def _free(pen: Pen, entry: schema.Code, cell: schema.FreeCell) -> list[Line]:
    """One free variable: where its cell was made, what it holds, who uses it."""
    name = cell["name"]
    line: Line = [
        ("  ", "plain"),
        (pen.fit(cell["owner"] or "outside", 30, "end"), "plain"),
        (f" {name}", "name"),
        (" ──→ ", "frame"),
        (pen.fit(entry["name"], 20), "plain"),
        (f" {name}", "name"),
        (" ──→ ", "frame"),
    ]
    if cell["live"]:
        line.append((f"[{cell['index']}] ", "faint"))
    room = pen.width - sum(cells(pen.clean(text)) for text, _ in line)
    line += _contents(pen, cell, room)
    return [line, *_users(pen, cell, cell["sharers"])]


def _contents(pen: Pen, cell: schema.FreeCell, room: int) -> Line:
    if not cell["live"]:
        return [("a cell, made when the owner runs", "faint")]
    value = cell["value"]
    if value is None:
        return [("empty: reading it raises NameError", "warning")]
    kind = value["type"]
    text = pen.fit(value["text"], max(10, room - cells(kind) - 1))
    return [(kind, "type"), (" ", "plain"), (text, "value")]


def _own(pen: Pen, cell: schema.OwnCell) -> list[Line]:
    takers = ", ".join(cell["captured_by"]) or "nothing captures it"
    line: Line = [
        ("  ", "plain"),
        (cell["name"], "name"),
        (" ──→ ", "frame"),
        (pen.fit(takers, pen.width - cells(cell["name"]) - 8), "plain"),
    ]
    return [line, *_users(pen, cell)]


def _users(
    pen: Pen, cell: schema.FreeCell | schema.OwnCell, sharers: Iterable[schema.FreeCellSharer] = ()
) -> list[Line]:
    """Who writes, who reads, and which other live functions hold the cell."""
    rows: list[tuple[str, str]] = []
    for label, users in (("written by", cell["writers"]), ("read by", cell["readers"])):
        if users:
            rows.append((label, ", ".join(map(user_text, users))))
    if sharers:
        held = (
            sharer_text(each) + (" (made from the same code)" if each["same_code"] else "")
            for each in sharers
        )
        rows.append(("also held by", ", ".join(held)))
    if cell["note"]:
        rows.append(("note", cell["note"]))
    return [
        [(f"      {label:<13} ", "faint"), (pen.fit(text, pen.width - 20), "plain")]
        for label, text in rows
    ]
