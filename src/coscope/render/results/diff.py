"""The difference of two functions or files as a document and as a page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coscope.facts.differences.alignment import Row, Side
from coscope.facts.differences.difference import CodeDifference, Difference, Read
from coscope.render.document.report import header
from coscope.render.pages.sheet import Line, Sheet
from coscope.render.text.measured import Pen
from coscope.render.text.measured import without_surrogates as clean

if TYPE_CHECKING:
    from coscope.render.schemas import diff as schema


_SIGNS = {"same": " ", "removed": "-", "added": "+", "changed": "~"}
_ROLES = {"same": "plain", "removed": "error", "added": "mark", "changed": "warning"}
_MOST_NAMES = 20  # of code objects that only one side has, on the page


def document(result: Difference) -> schema.DiffDocument:
    """The document of docs/schema.md, "difference"."""
    return {
        **header(),
        "command": "diff",
        "target": clean(f"{result.left.name} and {result.right.name}"),
        "verdict": result.verdict,
        "text": result.text,
        "left": _read(result.left),
        "right": _read(result.right),
        "harmless": list(result.harmless),
        "codes": [code_entry(each) for each in result.codes],
        "removed": [clean(name) for name in result.removed],
        "added": [clean(name) for name in result.added],
        "unknown": [clean(each) for each in result.unknown],
        "error": None,
    }


def _read(side: Read) -> schema.DiffRead:
    return {
        "name": clean(side.name),
        "file": clean(side.file),
        "version": side.version,
        "release": side.release,
        "codes": side.codes,
        "warnings": [clean(each) for each in side.warnings],
    }


def code_entry(pair: CodeDifference) -> schema.DiffCode:
    """One pair of code objects that differ, in the document."""
    return {
        "left": clean(pair.left),
        "right": clean(pair.right),
        "facts": [
            {"what": clean(fact.what), "left": clean(fact.left), "right": clean(fact.right)}
            for fact in pair.facts
        ],
        "rows": [_row(row) for row in pair.rows],
    }


def _row(row: Row) -> schema.DiffRow:
    return {"kind": row.kind, "left": _side(row.left), "right": _side(row.right)}


def _side(side: Side | None) -> schema.DiffSide | None:
    if side is None:
        return None
    return {
        "text": clean(side.text),
        "block": side.block,
        "line": side.line,
        "offset": side.offset,
    }


def sheet(found: schema.DiffDocument, pen: Pen) -> Sheet:
    """The page."""
    page = Sheet(pen)
    for sign, side in (("-", found["left"]), ("+", found["right"])):
        _add_side(page, sign, side)
    page.add((found["text"], "error" if found["verdict"] == "different" else "mark"))
    if found["left"]["version"] != found["right"]["version"]:
        note = "compiled for two versions of CPython, which write the same source differently"
        page.add((note, "faint"))
    for pair in found["codes"]:
        add_pair(page, pair)
    _add_names(page, "Only in the first", found["removed"])
    _add_names(page, "Only in the second", found["added"])
    if found["unknown"]:
        page.heading("Not compared by content")
        page.extend([("  ", "plain"), (name, "name")] for name in found["unknown"])
    return page


def _add_side(page: Sheet, sign: str, side: schema.DiffRead) -> None:
    count = "1 code object" if side["codes"] == 1 else f"{side['codes']} code objects"
    release = side["release"] or f"{side['version']}.x"
    page.add(
        (f"{sign} ", "faint"),
        (side["name"], "title"),
        (f"  {side['file']}, CPython {release}, {count}", "faint"),
    )
    for warning in side["warnings"]:
        page.add(("  warning: ", "warning"), (warning, "plain"))


def _add_names(page: Sheet, heading: str, names: list[str]) -> None:
    if names:
        page.heading(heading)
        page.extend([("  ", "plain"), (name, "name")] for name in names[:_MOST_NAMES])
    if len(names) > _MOST_NAMES:
        page.add((f"  and {len(names) - _MOST_NAMES} more", "faint"))


def add_pair(page: Sheet, pair: schema.DiffCode) -> None:
    """Write one pair of code objects that differ."""
    name = pair["left"]
    page.heading(name if name == pair["right"] else f"{name} and {pair['right']}")
    for fact in pair["facts"]:
        page.add((f"  {fact['what']}", "kind"))
        for sign, side, role in (("-", fact["left"], "error"), ("+", fact["right"], "mark")):
            if side:
                page.add((f"    {sign} ", role), (side, role))
    if pair["rows"]:
        page.add(("  instructions", "kind"))
    page.extend(_line(page.pen, row) for row in pair["rows"])


def _line(pen: Pen, row: schema.DiffRow) -> Line:
    side = row["left"] or row["right"]
    if side is None:  # a gap
        return [("    ", "plain"), (pen.ellipsis, "faint")]
    place = f"{side['block']:<5}" + (f"line {side['line']}" if side["line"] else "")
    text = side["text"]
    if row["kind"] == "changed" and row["right"] is not None:
        text = f"{text}, was aligned with: {row['right']['text']}"
    role = _ROLES[row["kind"]]
    return [
        (f"    {_SIGNS[row['kind']]} ", role),
        (pen.pad(place, 16), "faint"),
        (pen.fit(text, pen.width - 22), role),
    ]
