"""The closure of a function, as a document and as a page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from coscope.facts.closures.closures import Closure, FreeVariable, Node, OwnVariable
from coscope.facts.shipping.cargo import path_text
from coscope.render.document.report import header
from coscope.render.document.shared import user_entries, value_entry
from coscope.render.pages.sheet import Line, Sheet
from coscope.render.pages.wording import bytes_text, sharer_text, size_entry, user_text, wrapped
from coscope.render.text.measured import Pen, cells
from coscope.render.text.measured import without_surrogates as clean

if TYPE_CHECKING:
    from coscope.render.schemas import closure as schema
    from coscope.render.schemas import shared


def document(result: Closure) -> schema.ClosureDocument:
    """The document of docs/schema.md, "closure"."""
    return {
        **header(),
        "command": "closure",
        "target": clean(result.qualname),
        "module": result.module and clean(result.module),
        "live": result.live,
        "identity": result.identity,
        "via": [clean(step) for step in result.via],
        "warnings": [clean(warning) for warning in result.warnings],
        "free": [_free(each) for each in result.free],
        "own": [_own(each) for each in result.own],
        "tree": [_node(node) for node in result.tree],
        "circles": [clean(path_text(path)) for path in result.circles],
        "bytes": result.bytes,
        "complete": result.complete,
        "search": result.search,
        "error": None,
    }


def _free(variable: FreeVariable) -> schema.ClosureFree:
    cell = variable.cell
    return {
        "name": clean(variable.name),
        "index": variable.index,
        "owner": variable.owner and clean(variable.owner),
        "readers": user_entries(variable.readers),
        "writers": user_entries(variable.writers),
        "deleters": user_entries(variable.deleters),
        "cell": None if cell is None else cell.identity,
        "empty": None if cell is None else cell.empty,
        "value": None if cell is None else value_entry(cell.value),
        "size": None if variable.size is None else size_entry(variable.size),
        "sharers": [
            {
                "qualname": clean(sharer.qualname),
                "module": sharer.module and clean(sharer.module),
                "name": clean(sharer.name),
                "same_code": sharer.same_code,
                "identity": sharer.identity,
            }
            for sharer in variable.sharers
        ],
        "late": variable.late,
        "note": variable.note,
    }


def _own(variable: OwnVariable) -> schema.ClosureOwn:
    return {
        "name": clean(variable.name),
        "parameter": variable.parameter,
        "takers": [clean(taker) for taker in variable.takers],
        "readers": user_entries(variable.readers),
        "writers": user_entries(variable.writers),
        "deleters": user_entries(variable.deleters),
        "note": variable.note,
    }


def _node(node: Node) -> schema.ClosureNode:
    return {
        "name": clean(node.name),
        "cell": node.cell,
        "value": value_entry(node.value),
        "function": node.function and clean(node.function),
        "identity": node.identity,
        "via": [clean(step) for step in node.via],
        "again": node.again,
        "nodes": [_node(inner) for inner in node.nodes],
    }


def sheet(found: schema.ClosureDocument, pen: Pen) -> Sheet:
    """The page."""
    page = Sheet(pen)
    module = f"{found['module']}." if found["module"] else ""
    page.add((f"{module}{found['target']}", "title"), (f"  {_summary(found)}", "faint"))
    for step in found["via"]:
        page.add((f"  through {step}", "faint"))
    for warning in found["warnings"]:
        page.add((f"  {warning}", "warning"))
    if found["free"]:
        page.heading("Cells from outside", f"owner {pen.arrow} here {pen.arrow} cell")
        for variable in found["free"]:
            page.extend(_free_lines(pen, found, variable))
    if found["own"]:
        page.heading("Own cells", "made anew by each call, for nested code")
        for own in found["own"]:
            page.extend(_own_lines(pen, own))
    _add_tree(page, found)
    _add_limits(page, found)
    return page


def _add_tree(page: Sheet, found: schema.ClosureDocument) -> None:
    """Functions in cells, and in which circles they hold each other."""
    pen = page.pen
    if any(node["function"] for node in found["tree"]):
        page.heading("Functions in cells")
        page.add((f"  {found['target']}", "plain"))
        page.extend(_tree_lines(pen, found["tree"], ""))
    for circle in found["circles"]:
        page.blank()
        page.add(("It holds itself: ", "warning"), (circle.replace("->", pen.arrow), "plain"))
        page.add(("Only the cycle collector frees it.", "faint"))


def _summary(found: schema.ClosureDocument) -> str:
    free, own = len(found["free"]), len(found["own"])
    parts = [f"{free} cell{'' if free == 1 else 's'} from outside"]
    if own:
        parts.append(f"{own} of its own")
    if not found["live"]:
        parts.append("not live: cells are made when it runs")
    elif found["bytes"]:
        parts.append(f"{'it holds' if free == 1 else 'they hold'} {bytes_text(found['bytes'])}")
    return ", ".join(parts)


def _free_lines(
    pen: Pen, found: schema.ClosureDocument, variable: schema.ClosureFree
) -> Iterator[Line]:
    name = variable["name"]
    line: Line = [
        ("  ", "plain"),
        (pen.fit(variable["owner"] or "outside", 30, "end"), "plain"),
        (f" {name}", "name"),
        (f" ─{pen.arrow} ", "frame"),
        (pen.fit(found["target"].rpartition(".")[2], 20), "plain"),
        (f" ─{pen.arrow} ", "frame"),
    ]
    value = variable["value"]
    if variable["cell"] is None:
        yield [*line, ("a cell, made when the owner runs", "faint")]
    elif value is None:
        line.append((f"[{variable['index']}] ", "faint"))
        yield [*line, ("empty: reading it raises NameError", "warning")]
    else:
        line.append((f"[{variable['index']}] ", "faint"))
        kind, text, size = value["type"], value["text"], _size(variable["size"])
        kind = "" if kind in text else f"{kind} "
        room = pen.width - sum(cells(pen.clean(each)) for each, _ in line)
        text = pen.fit(text, max(10, room - cells(kind) - cells(size) - 2))
        yield [*line, (kind, "type"), (text, "value"), (f"  {size}", "faint")]
    yield from _told(pen, variable, variable["sharers"], variable["late"])


def _size(size: shared.Size | None) -> str:
    if size is None:
        return ""
    more = "" if size["complete"] else "> "
    shared = f" ({bytes_text(size['shared'])} shared)" if size["shared"] else ""
    return f"{more}{bytes_text(size['bytes'])}{shared}"


def _own_lines(pen: Pen, variable: schema.ClosureOwn) -> Iterator[Line]:
    name = f"{variable['name']}{' (a parameter)' if variable['parameter'] else ''}"
    takers = ", ".join(variable["takers"]) or "nothing captures it"
    yield [
        ("  ", "plain"),
        (name, "name"),
        (f" ─{pen.arrow} ", "frame"),
        (pen.fit(takers, pen.width - cells(name) - 8), "plain"),
    ]
    yield from _told(pen, variable)


def _told(
    pen: Pen,
    variable: schema.ClosureFree | schema.ClosureOwn,
    sharers: Iterable[schema.ClosureSharer] = (),
    late: bool | None = None,
) -> Iterator[Line]:
    """Who writes, reads and deletes it, and which live functions share its cell."""
    rows = [
        (label, ", ".join(map(user_text, users)), "plain")
        for label, users in (
            ("written by", variable["writers"]),
            ("deleted by", variable["deleters"]),
            ("read by", variable["readers"]),
        )
        if users
    ]
    rows += _shared_rows(list(sharers), late)
    if variable["note"]:
        rows.append(("note", variable["note"], "plain"))
    for label, text, role in rows:
        for at, (line,) in enumerate(wrapped(pen, text, " " * 20, role)):
            yield [(f"      {'' if at else label:<13} ", "faint"), (line[0][20:], role)]


def _shared_rows(
    sharers: list[schema.ClosureSharer], late: bool | None
) -> Iterator[tuple[str, str, str]]:
    """Label, text and role of each row on the functions that share a cell."""
    same = [sharer for sharer in sharers if sharer["same_code"]]
    others = [sharer for sharer in sharers if not sharer["same_code"]]
    if others:
        yield "also held by", ", ".join(map(sharer_text, others)), "plain"
    if same:
        yield "shared with", _late(len(same), late), "plain" if late is False else "warning"
    elif late:
        yield "bound late", _LATE, "warning"


_LATE = "the loop that makes this function assigns it: kept beyond a round, it sees the last value"


def _late(count: int, late: bool | None) -> str:
    """What it means that functions of one code object share a cell."""
    others = f"{count} other function{'' if count == 1 else 's'} of this code"
    if late:
        return f"{others}: made in a loop that assigns it, all see its last value"
    if late is None:
        return f"{others}: whether a loop assigns it between them is not known"
    return f"{others}; no loop assigns it between them"


def _tree_lines(pen: Pen, nodes: list[schema.ClosureNode], stem: str) -> Iterator[Line]:
    for at, node in enumerate(nodes):
        last = at == len(nodes) - 1
        lead = f"  {stem}{'└' if last else '├'} "
        line: Line = [(lead, "frame"), (node["name"], "name")]
        if node["function"]:
            line.append((f" ─{pen.arrow} ", "frame"))
            line.append((node["function"], "plain"))
            through = f"  through {', '.join(node['via'])}" if node["via"] else ""
            line.append((through, "faint"))
            line.append(("  again" if node["again"] else "", "warning"))
        elif node["value"] is None:
            line.append(("  empty", "warning"))
        else:
            line.append((f"  {node['value']['text']}", "value"))
        yield line
        yield from _tree_lines(pen, node["nodes"], stem + ("  " if last else "│ "))


def _add_limits(page: Sheet, found: schema.ClosureDocument) -> None:
    if found["search"]:
        page.blank()
        text = f"Sharers, as far as they can be found: {found['search']}."
        page.extend(wrapped(page.pen, text, "", "faint"))
    if not found["complete"]:
        page.blank()
        page.add(("A limit was reached: there is more than is shown.", "warning"))
