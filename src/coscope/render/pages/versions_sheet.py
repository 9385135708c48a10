"""Bytecode of several versions side by side: a column for each, a mark where they differ."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from textwrap import wrap
from typing import TYPE_CHECKING

from coscope.render.document.shared import detail_of
from coscope.render.pages.card_sheet import version
from coscope.render.pages.sheet import Line, Sheet
from coscope.render.text.measured import Pen

if TYPE_CHECKING:
    from coscope.render.schemas import report as schema
    from coscope.render.schemas import versions as versions_schema

_MARKS = {"same": " ", "changed": "~", "some": "+"}
_LINE = 6  # cells for a line number


def versions_sheet(found: versions_schema.VersionsDocument, pen: Pen) -> Sheet:
    """Every code object that has rows; then what is known of the opcodes that differ."""
    page = Sheet(pen)
    documents = found["documents"]
    width = (pen.width - 2 - _LINE - 3 * len(documents)) // len(documents)
    for code in found["codes"]:
        if not code["rows"] and None not in code["at"]:
            continue  # it was not asked for in detail
        page.blank()
        page.add((code["key"], "title"), (f"  {code['kind']}", "kind"), (_verdict(code), "faint"))
        page.add((" " * (2 + _LINE), "plain"), *_heads(documents, pen, width))
        for row in code["rows"]:
            page.extend([_row(found, code, row, (pen, width))])
        for fact in code["facts"]:
            page.extend(_fact(fact, pen))
    if found["opcodes"]:
        page.heading("Opcodes that not all of them use equally often")
        page.extend(line for each in found["opcodes"] for line in _opcode(each, pen))
    return page


def _verdict(code: versions_schema.VersionsCode) -> str:
    if code["same"]:
        return "  the same in all of them"
    differ = sum(row["kind"] != "same" for row in code["rows"])
    return f"  {differ} of {len(code['rows'])} rows differ"


def _heads(documents: Sequence[schema.Document], pen: Pen, width: int) -> Iterator[tuple[str, str]]:
    for each in documents:
        yield " │ ", "frame"
        yield pen.pad(version(each["codes"][0]), width), "heading"


def _row(
    found: versions_schema.VersionsDocument,
    code: versions_schema.VersionsCode,
    row: versions_schema.VersionsRow,
    room: tuple[Pen, int],
) -> Line:
    pen, width = room
    mark = _MARKS[row["kind"]]
    cells: Line = []
    number: int | None = None
    for document, index, at in zip(found["documents"], code["at"], row["at"], strict=True):
        text = ""
        if index is not None and at is not None:
            each = detail_of(document["codes"][index])["instructions"][at]
            number = each["line"] if number is None else number
            text = f"{each['opname']} {each['argrepr'] or _number(each)}".rstrip()
        cells += [(" │ ", "frame"), (pen.pad(text, width), "opcode" if mark == " " else "warning")]
    line = f"{'' if number is None else number:>{_LINE}}"
    return [(f"{mark} ", "warning"), (line, "line number"), *cells]


def _number(instruction: schema.Instruction) -> str:
    return "" if instruction["arg"] is None else str(instruction["arg"])


def _fact(fact: versions_schema.VersionsFact, pen: Pen) -> Iterator[Line]:
    values = " | ".join("none" if each is None else each or "-" for each in fact["values"])
    yield [(f"    {fact['what']}: ", "faint"), (pen.fit(values, pen.width - 24), "value")]
    if fact["note"]:
        for line in wrap(fact["note"], pen.width - 6):
            yield [(f"      {line}", "plain")]


def _opcode(found: versions_schema.VersionsOpcode, pen: Pen) -> Iterator[Line]:
    known = found["known"]
    span = f"{known[0]} to {known[-1]}" if len(known) > 1 else "".join(known)
    counts = " | ".join(map(str, found["counts"]))
    yield [(f"  {found['name']}", "name"), (f"  {counts}", "value"), (f"  {span}", "faint")]
    for line in wrap(found["sentence"], min(pen.width, 92) - 4):
        yield [(f"    {line}", "plain")]
