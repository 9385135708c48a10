"""What a function depends on, as a document and as a page."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, TypeVar

from coscope.facts.dependencies.depends import Dependencies
from coscope.facts.dependencies.rows import ARROW, Dependency, Dynamic, Embedded, Failure
from coscope.render.document.constants import constant
from coscope.render.document.report import header
from coscope.render.document.shared import value_entry
from coscope.render.pages.sheet import Line, Piece, Sheet, columns, measure
from coscope.render.text.measured import Pen, cells
from coscope.render.text.measured import without_surrogates as clean

if TYPE_CHECKING:
    from coscope.render.schemas import depends as schema


Row = TypeVar("Row")

# Access in the document -> heading on the page, and what to say beside it.
_SECTIONS = (
    ("read", "Reads", ""),
    ("write", "Writes", "names outside of it that it assigns"),
    ("delete", "Deletes", ""),
    ("import", "Imports", "the object is shown if its module is loaded already"),
    ("pass through", "Hands on", "cells that only nested code uses"),
)
_MOST_WORDS = 40  # on the page, of a section that is a list of words
_MOST_ROWS = 300  # on the page, of a section
_VALUE = 34  # cells of a value
_LEAST = 18  # cells that a value or reason keeps where a chain is long


def document(result: Dependencies) -> schema.DependsDocument:
    """The document of docs/schema.md, "dependencies"."""
    return {
        **header(),
        "command": "depends",
        "target": clean(result.qualname),
        "module": result.module and clean(result.module),
        "live": result.live,
        "transitive": result.transitive,
        "complete": result.complete,
        "via": _clean(result.via),
        "warnings": _clean(result.warnings),
        "libraries": _clean(result.libraries),
        "codes": [
            {
                "path": _clean(code.path),
                "qualname": clean(code.qualname),
                "kind": code.kind,
                "file": clean(code.file),
                "line": code.line,
            }
            for code in result.reached
        ],
        "dependencies": [_dependency(row) for row in result.items],
        "attributes": [
            {"name": clean(row.name), "access": list(row.verbs), **_place(row.path, row.offsets)}
            for row in result.attributes
        ],
        "constants": [_constant(row) for row in result.constants],
        "dynamic": [
            {"function": row.function, "note": row.note, **_use(row)} for row in result.dynamic
        ],
        "failures": [
            {"error": row.error, "reason": row.reason, **_use(row)} for row in result.failures
        ],
        "held": [
            {"name": clean(row.name), "path": _clean(row.path), "value": value_entry(row.value)}
            for row in result.held
        ],
        "error": None,
    }


def _clean(texts: Iterable[str]) -> list[str]:
    return [clean(text) for text in texts]


def _constant(row: Embedded) -> schema.DependsConstant:
    shown = constant(row.constant)
    place = _place(row.path, row.offsets)
    entry: schema.DependsConstant = {
        "type": shown["type"],
        "text": shown["text"],
        "path": place["path"],
        "offsets": place["offsets"],
    }
    if "shortened" in shown:
        entry["shortened"] = True
    return entry


def _place(path: Iterable[str], offsets: Iterable[int]) -> schema.DependsPlace:
    return {"path": _clean(path), "offsets": list(offsets)}


def _use(row: Dependency | Dynamic | Failure) -> schema.DependsUse:
    place = _place(row.path, row.offsets)
    return {"name": clean(row.name), **place, "lines": list(row.lines)}


def _dependency(row: Dependency) -> schema.DependsName:
    return {
        "access": row.access,
        "kind": row.kind,
        "chain": clean(row.chain),
        "resolved": row.resolved and clean(row.resolved),
        "empty": row.empty,
        "value": value_entry(row.value),
        **_use(row),
    }


def sheet(found: schema.DependsDocument, pen: Pen) -> Sheet:
    """The page."""
    page = Sheet(pen)
    page.add(*_title(found))
    for step in found["via"]:
        page.add((f"  through {step}", "faint"))
    for warning in found["warnings"]:
        page.add((f"  {warning}", "warning"))
    for access, heading, note in _SECTIONS:
        rows = [row for row in found["dependencies"] if row["access"] == access]
        _add_rows(page, heading, note, rows, lambda row: _cells(pen, row))
    _add_rows(page, "Raises if reached", "", found["failures"], _failure)
    note = "names that reading the code cannot show"
    _add_rows(page, "Dynamic", note, found["dynamic"], _dynamic)
    _add_rows(page, "Holds", "", found["held"], _held)
    _add_words(page, "Attributes", "of whatever object", (a["name"] for a in found["attributes"]))
    _add_words(page, "Constants", "", (c["text"] for c in found["constants"]))
    _add_limits(page, found)
    return page


def _title(found: schema.DependsDocument) -> Iterator[Piece]:
    module = f"{found['module']}." if found["module"] else ""
    yield f"{module}{found['target']}", "title"
    count = len(found["codes"])
    parts = ["1 code object" if count == 1 else f"{count} code objects"]
    parts.append("helpers included" if found["transitive"] else "nested code included")
    if not found["live"]:
        parts.append("not live: names without objects")
    yield f"  {', '.join(parts)}", "faint"


def _add_rows(
    page: Sheet,
    heading: str,
    note: str,
    rows: list[Row],
    show: Callable[[Row], tuple[Piece, ...]],
) -> None:
    """A section, if it has rows."""
    if not rows:
        return
    page.heading(heading, note)
    page.extend(_table(page.pen, [show(row) for row in rows[:_MOST_ROWS]]))
    if len(rows) > _MOST_ROWS:
        page.add((f"  and {len(rows) - _MOST_ROWS} more, which --json lists", "faint"))


def _table(pen: Pen, rows: list[tuple[Piece, ...]]) -> list[Line]:
    """Rows in columns. Where room is short, the middle column gives way before the chain does.

    Of a long chain the end is shown, where the name is; it begins with the target in any case.
    """
    sizes = [max(cells(pen.clean(row[at][0])) for row in rows) for at in range(len(rows[0]))]
    missing = sum(sizes) + 2 * len(sizes) - pen.width
    middle = len(sizes) - 2 if len(sizes) > 2 else len(sizes) - 1
    sizes[middle] -= max(0, min(missing, sizes[middle] - _LEAST))
    sizes = measure(pen, [tuple((" " * size, "plain") for size in sizes)], pen.width - 2)
    shown = [((pen.fit(row[0][0], sizes[0], "end"), row[0][1]), *row[1:]) for row in rows]
    return columns(pen, shown, sizes)


def _cells(pen: Pen, row: schema.DependsName) -> tuple[Piece, ...]:
    if row["empty"]:
        shown: Piece = ("<empty>", "warning")
    elif row["value"] is None or row["value"]["text"] in _plain_builtins(row):
        shown = ("", "plain")
    elif row["resolved"] not in (None, row["name"]):
        shown = (pen.fit(f"{row['resolved']} = {row['value']['text']}", _VALUE, "both"), "value")
    else:
        shown = (pen.fit(row["value"]["text"], _VALUE, "both"), "value")
    role = "warning" if row["kind"] == "unbound" else "kind"
    return _chain(row), (row["kind"], role), shown, _lines(row)


def _plain_builtins(row: schema.DependsName) -> tuple[str, ...]:
    """What a builtin's value says if nobody replaced it: nothing that its name does not."""
    if row["kind"] != "builtin":
        return ()
    return f"<built-in function {row['name']}>", f"<class {row['name']}>"


def _chain(row: schema.DependsUse | schema.DependsHeld) -> Piece:
    """The name; before it the path, if that leads beyond the target's own code."""
    path = row["path"] if len(row["path"]) > 1 else []
    return ARROW.join([*path, row["name"]]), "name"


def _lines(row: schema.DependsUse) -> Piece:
    lines = row["lines"]
    if not lines:
        return "", "faint"
    return f"line{'s' if len(lines) > 1 else ''} {', '.join(map(str, lines))}", "faint"


def _failure(row: schema.DependsFailure) -> tuple[Piece, ...]:
    reason = (row["reason"], "plain")
    return _chain(row), (row["error"], "error"), reason, _lines(row)


def _dynamic(row: schema.DependsDynamic) -> tuple[Piece, ...]:
    return _chain(row), (row["note"], "warning"), _lines(row)


def _held(row: schema.DependsHeld) -> tuple[Piece, ...]:
    return _chain(row), (row["value"]["text"], "value")


def _add_words(page: Sheet, heading: str, note: str, words: Iterable[str]) -> None:
    """A section of words, each once, as many to a line as there is room for."""
    every = list(dict.fromkeys(words))
    if not every:
        return
    page.heading(heading, note)
    shown = [page.pen.fit(word, 40) for word in every[:_MOST_WORDS]]
    if len(every) > _MOST_WORDS:
        shown.append(f"and {len(every) - _MOST_WORDS} more")
    line = ""
    for word in shown:
        if line and len(line) + len(word) + 4 > page.pen.width:
            page.add((f"  {line},", "plain"))
            line = ""
        line = f"{line}, {word}" if line else word
    page.add((f"  {line}", "plain"))


def _add_limits(page: Sheet, found: schema.DependsDocument) -> None:
    if found["libraries"]:
        page.blank()
        names = ", ".join(found["libraries"])
        page.add((f"Not entered, because installed or of the standard library: {names}", "faint"))
    if not found["complete"]:
        page.blank()
        page.add(("The search stopped at its limit of code objects.", "warning"))
