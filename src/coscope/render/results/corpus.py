"""Scans, answers, schemas and changes of corpora as documents and as pages."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from textwrap import wrap

from coscope.corpus.ask import Question, Relation
from coscope.corpus.catalog import Report
from coscope.corpus.changes import MOST, Changes
from coscope.corpus.schema import EVERY, SCHEMA_VERSION
from coscope.render.document.report import header
from coscope.render.pages.sheet import Piece, Sheet, columns, measure
from coscope.render.schemas.corpus import (
    CorpusAnswerDocument,
    CorpusDiffDocument,
    CorpusQuestionsDocument,
    CorpusScanDocument,
    CorpusSchemaDocument,
)
from coscope.render.text.measured import Pen

Cell = None | bool | int | float | str

_BAR = 24  # cells of the longest bar
_EXACT = 2**53  # beyond it JSON readers round


def scan_document(report: Report) -> CorpusScanDocument:
    """The document of a scan."""
    return {
        **header(),
        "command": "corpus scan",
        "target": report.folder,
        "python": report.python,
        "details": list(report.details),
        "places": report.places,
        "contents": report.contents,
        "scanned": report.scanned,
        "removed": report.removed,
        "codes": report.codes,
        "instructions": report.instructions,
        "parts": report.parts,
        "unread": dict(report.unread),
        "tables": dict(report.tables),
        "warnings": list(report.warnings),
        "error": None,
    }


def scan_sheet(found: CorpusScanDocument, pen: Pen) -> Sheet:
    """What a scan did."""
    page = Sheet(pen)
    page.add((found["target"], "title"), (f"   CPython {found['python']}", "faint"))
    stored = found["contents"] - found["scanned"]
    page.add(
        (f"{found['places']:,} files", "value"),
        (f", {found['contents']:,} different contents", "plain"),
        (f": {found['scanned']:,} read, {stored:,} stored already", "faint"),
        (f", {found['removed']:,} removed" if found["removed"] else "", "faint"),
    )
    page.add(
        (f"{found['codes']:,} code objects", "value"),
        (f", {found['instructions']:,} instructions", "plain"),
    )
    if found["unread"]:
        page.heading("Not read", "coscope corpus ask FOLDER unread-files names them")
        rows: list[tuple[Piece, ...]] = [
            ((f"{count:,}", "value"), (status, "plain"))
            for status, count in found["unread"].items()
        ]
        page.extend(columns(pen, rows, measure(pen, rows, pen.width - 4)))
    if found["warnings"]:
        page.heading("Warnings")
        for text in found["warnings"][:20]:
            page.add(("  " + text, "warning"))
        if len(found["warnings"]) > 20:
            page.add((f"  and {len(found['warnings']) - 20:,} more", "faint"))
    page.heading("Tables", "rows")
    rows = [((name, "name"), (f"{count:,}", "value")) for name, count in found["tables"].items()]
    page.extend(columns(pen, rows, measure(pen, rows, pen.width - 4)))
    return page


def answer_document(
    folder: str, relation: Relation, question: Question | None, most: int | None = None
) -> CorpusAnswerDocument:
    """The document of a query or of a built-in question."""
    rows = [[_cell(value) for value in row] for row in relation.rows(most)]
    return {
        **header(),
        "command": "corpus ask" if question else "corpus sql",
        "target": folder,
        "question": question.name if question else None,
        "title": question.title if question else None,
        "description": question.doc if question else None,
        "sql": relation.sql,
        "columns": relation.columns,
        "rows": rows,
        "error": None,
    }


def _cell(value: object) -> Cell:
    """A value of the database as JSON has it."""
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, int):
        return value if -_EXACT <= value <= _EXACT else str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    return str(value)


def answer_sheet(found: CorpusAnswerDocument, pen: Pen, picture: Sequence[str] = ()) -> Sheet:
    """An answer as a table; with a bar for each row where the question has a picture."""
    page = Sheet(pen)
    if found["title"]:
        page.add((found["title"], "title"))
        for line in wrap(found["description"] or "", min(pen.width, 88)):
            page.add((line, "faint"))
        page.blank()
    head: tuple[Piece, ...] = tuple((name, "heading") for name in found["columns"])
    lengths = _lengths(found, picture)
    body = [_pieces(row) for row in found["rows"]]
    room = pen.width - 2 - (_BAR + 2 if lengths else 0)
    widths = measure(pen, [head, *body], room)
    if lengths:
        widths.append(_BAR)
        head = (*head, ("", "plain"))
        body = [(*row, bar) for row, bar in zip(body, _bars(pen, lengths), strict=True)]
    page.extend(columns(pen, [head, *body], widths, indent=0))
    count = len(found["rows"])
    page.blank()
    page.add((f"{count:,} row{'' if count == 1 else 's'}", "faint"))
    return page


def _pieces(row: Sequence[bool | int | float | str | None]) -> tuple[Piece, ...]:
    return tuple(
        (_shown(value), "value" if isinstance(value, int | float) else "plain") for value in row
    )


def _bars(pen: Pen, lengths: Sequence[float]) -> Iterator[Piece]:
    """A bar for each length; the longest has the whole width."""
    sign = "#" if pen.ascii else "█"
    longest = max(lengths) or 1
    for length in lengths:
        yield sign * max(0, round(_BAR * length / longest)), "mark"


def _lengths(found: CorpusAnswerDocument, picture: Sequence[str]) -> list[float]:
    if not picture or picture[2] not in found["columns"]:
        return []
    at = found["columns"].index(picture[2])
    values = [row[at] for row in found["rows"]]
    return [float(value) if isinstance(value, int | float) else 0.0 for value in values]


def _shown(value: Cell) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:,}" if isinstance(value, int) else str(value)


def questions_document(folder: str, found: Sequence[Question]) -> CorpusQuestionsDocument:
    """The document of all built-in questions."""
    return {
        **header(),
        "command": "corpus questions",
        "target": folder,
        "questions": [
            {
                "name": each.name,
                "title": each.title,
                "description": each.doc,
                "sql": each.sql,
                "picture": bool(each.picture),
            }
            for each in found
        ],
        "error": None,
    }


def questions_sheet(found: CorpusQuestionsDocument, pen: Pen) -> Sheet:
    """The questions, a line each."""
    page = Sheet(pen)
    rows: list[tuple[Piece, ...]] = [
        ((each["name"], "name"), (each["title"], "plain")) for each in found["questions"]
    ]
    page.extend(columns(pen, rows, measure(pen, rows, pen.width - 4)))
    page.blank()
    page.add(("coscope corpus ask FOLDER NAME", "value"), (" answers one of them", "faint"))
    return page


def schema_document() -> CorpusSchemaDocument:
    """The document of all tables and columns."""
    return {
        **header(),
        "command": "corpus schema",
        "target": "",
        "version": SCHEMA_VERSION,
        "tables": [
            {
                "name": table.name,
                "description": table.doc,
                "detail": table.detail,
                "columns": [
                    {"name": column.name, "type": column.type, "description": column.doc}
                    for column in table.columns
                ],
            }
            for table in EVERY.values()
        ],
        "error": None,
    }


def schema_sheet(found: CorpusSchemaDocument, pen: Pen) -> Sheet:
    """What the columns mean."""
    page = Sheet(pen)
    for table in found["tables"]:
        note = f"filled by --with {table['detail']}" if table["detail"] else ""
        page.heading(table["name"], note)
        for line in wrap(table["description"], min(pen.width - 2, 96)):
            page.add(("  " + line, "faint"))
        wide = max(len(column["name"]) for column in table["columns"]) + 2
        for column in table["columns"]:
            for at, line in enumerate(wrap(column["description"], pen.width - wide - 16)):
                name = column["name"] if at == 0 else ""
                kind = column["type"] if at == 0 else ""
                page.add((f"  {name:{wide}}", "name"), (f"{kind:12}", "type"), (line, "plain"))
    page.blank()
    page.add(("Every table but places and distributions also has ", "faint"), ("python", "name"),
             (": the release that compiled, or the version of a .pyc.", "faint"))  # fmt: skip
    return page


def diff_document(changes: Changes) -> CorpusDiffDocument:
    """The document of the differences between two corpora."""
    return {
        **header(),
        "command": "corpus diff",
        "target": changes.before,
        "other": changes.after,
        "python": list(changes.python),
        "totals": [
            {"table": name, "before": before, "after": after}
            for name, before, after in changes.totals
        ],
        "files": [{"place": each.place, "change": each.change} for each in changes.files],
        "codes": [
            {
                "place": each.place,
                "qualname": each.qualname,
                "change": each.change,
                "before": each.before,
                "after": each.after,
            }
            for each in changes.codes
        ],
        "opcodes": [
            {
                "opname": each.opname,
                "before": each.before,
                "after": each.after,
                "difference": each.difference,
            }
            for each in changes.opcodes
        ],
        "error": None,
    }


def diff_sheet(found: CorpusDiffDocument, pen: Pen) -> Sheet:
    """What changed between two corpora."""
    page = Sheet(pen)
    page.add((found["target"], "title"), (" and ", "plain"), (found["other"], "title"))
    if found["python"][0] != found["python"][1]:
        page.add((f"compiled by CPython {found['python'][0]} and {found['python'][1]}", "faint"))
    if not (found["files"] or found["codes"] or found["opcodes"]):
        page.add(("no difference", "value"))
        return page
    page.heading("Tables", "rows before and after")
    _rows(
        page,
        [(each["table"], f"{each['before']:,}", f"{each['after']:,}") for each in found["totals"]],
    )
    _list(page, "Files", [(each["change"], each["place"]) for each in found["files"]])
    _list(
        page,
        "Code objects",
        [(each["change"], f"{each['place']}  {each['qualname']}") for each in found["codes"]],
    )
    if found["opcodes"]:
        page.heading("Opcodes", "instructions before and after")
        _rows(
            page,
            [
                (
                    each["opname"],
                    f"{each['before']:,}",
                    f"{each['after']:,}",
                    f"{each['difference']:+,}",
                )
                for each in found["opcodes"][:40]
            ],
        )
    return page


def _list(page: Sheet, title: str, rows: list[tuple[str, str]]) -> None:
    if not rows:
        return
    page.heading(title, f"{len(rows):,} differ")
    _rows(page, rows[:MOST])
    if len(rows) > MOST:
        page.add((f"  and {len(rows) - MOST:,} more; --json has them all", "faint"))


def _rows(page: Sheet, rows: Sequence[tuple[str, ...]]) -> None:
    pieces: list[tuple[Piece, ...]] = [
        ((row[0], "name"), *((text, "plain") for text in row[1:])) for row in rows
    ]
    page.extend(columns(page.pen, pieces, measure(page.pen, pieces, page.pen.width - 4)))
