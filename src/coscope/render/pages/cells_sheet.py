"""The diagram of cells: cellvars -> freevars -> __closure__."""

from __future__ import annotations

from typing import Any

from coscope.render.pages.sheet import Line, Sheet
from coscope.render.text.measured import Pen, cells

Entry = dict[str, Any]


def add_cells(sheet: Sheet, entry: Entry) -> None:
    """Add the cells that come to the code from outside, and those that it owns."""
    found = entry["detail"]["cells"]
    if found["free"]:
        sheet.heading("Cells from outside", "owner's cellvar → freevar here → cell in __closure__")
        for cell in found["free"]:
            sheet.extend(_free(sheet.pen, entry, cell))
        if found["search"] and any(cell["sharers"] for cell in found["free"]):
            more = "" if found["complete"] else "; the search stopped at its bound"
            sheet.add((f"  searched: {found['search']}{more}", "faint"))
    if found["own"]:
        sheet.heading("Own cells", "cellvar here → freevar of nested code")
        for cell in found["own"]:
            sheet.extend(_own(sheet.pen, cell))


def _free(pen: Pen, entry: Entry, cell: Entry) -> list[Line]:
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
    return [line, *_users(pen, cell)]


def _contents(pen: Pen, cell: Entry, room: int) -> Line:
    if not cell["live"]:
        return [("a cell, made when the owner runs", "faint")]
    if cell["empty"]:
        return [("empty: reading it raises NameError", "warning")]
    kind = cell["value"]["type"]
    text = pen.fit(cell["value"]["text"], max(10, room - cells(kind) - 1))
    return [(kind, "type"), (" ", "plain"), (text, "value")]


def _own(pen: Pen, cell: Entry) -> list[Line]:
    takers = ", ".join(cell["captured_by"]) or "nothing captures it"
    line: Line = [
        ("  ", "plain"),
        (cell["name"], "name"),
        (" ──→ ", "frame"),
        (pen.fit(takers, pen.width - cells(cell["name"]) - 8), "plain"),
    ]
    return [line, *_users(pen, cell)]


def _users(pen: Pen, cell: Entry) -> list[Line]:
    """Who writes, who reads, and which other live functions hold the cell."""
    told: list[tuple[str, str]] = []
    for label, users in (("written by", cell["writers"]), ("read by", cell["readers"])):
        if users:
            told.append((label, ", ".join(map(_user, users))))
    if cell.get("sharers"):
        told.append(("also held by", ", ".join(map(_sharer, cell["sharers"]))))
    if cell["note"]:
        told.append(("note", cell["note"]))
    return [
        [(f"      {label:<13} ", "faint"), (pen.fit(text, pen.width - 20), "plain")]
        for label, text in told
    ]


def _user(user: Entry) -> str:
    lines = user["lines"]
    if not lines:
        return str(user["code"])
    word = "line" if len(lines) == 1 else "lines"
    return f"{user['code']} ({word} {', '.join(map(str, lines))})"


def _sharer(sharer: Entry) -> str:
    name = f"{sharer['module']}.{sharer['qualname']}" if sharer["module"] else sharer["qualname"]
    return name + (" (made from the same code)" if sharer["same_code"] else "")
