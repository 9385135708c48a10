"""What a run covered, as a document and as a page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coscope.coverage.measured import Coverage, FileCoverage, shown_path
from coscope.coverage.never_ran import Missed
from coscope.render.document.report import header
from coscope.render.pages.sheet import Sheet
from coscope.render.pages.wording import wrapped
from coscope.render.text.measured import Pen
from coscope.render.text.measured import without_surrogates as clean

if TYPE_CHECKING:
    from coscope.render.schemas import coverage as schema


def document(result: Coverage) -> schema.CoverageDocument:
    """The document of docs/schema.md, "coverage"."""
    return {
        **header(),
        "command": "coverage",
        "status": result.status,
        "processes": result.processes,
        "files": [_file(file) for file in result.files],
        "notes": [clean(note) for note in result.notes],
        "error": None,
    }


def _file(file: FileCoverage) -> schema.CoverageFile:
    return {
        "path": clean(shown_path(file.path)),
        "executed_lines": list(file.executed),
        "missing_lines": list(file.missing),
        "excluded_lines": list(file.excluded),
        "expressions": file.expressions,
        "missing_expressions": [missed_entry(each) for each in file.missed],
    }


def missed_entry(missed: Missed) -> schema.MissedExpression:
    """An expression that never ran, in a document."""
    return {
        "line": missed.line,
        "column": missed.column,
        "end_line": missed.end_line,
        "end_column": missed.end_column,
        "kind": missed.kind,
        "text": clean(missed.text),
    }


def sheet(found: schema.CoverageDocument, pen: Pen) -> Sheet:
    """The page: the expressions that never ran, by file; then a line for each file."""
    page = Sheet(pen)
    for file in found["files"]:
        if not file["missing_expressions"]:
            continue
        page.heading(file["path"], _count(len(file["missing_expressions"])))
        for missed in file["missing_expressions"]:
            page.add(
                (f"{missed['line']:>6}:{missed['column'] + 1:<4}", "line number"),
                (f"{missed['kind']:<32}", "kind"),
                (missed["text"], "mark"),
            )
    page.heading("Files", "executed lines, of expressions that depend on a condition")
    for file in found["files"]:
        _add_counts(page, file)
    if not found["files"]:
        page.add(("  Nothing of the watched files ran.", "warning"))
    for note in found["notes"]:
        page.extend(wrapped(pen, f"Note: {note}", "  ", "warning"))
    return page


def _count(count: int) -> str:
    return f"{count:,} expression{'' if count == 1 else 's'} never ran"


def _add_counts(page: Sheet, file: schema.CoverageFile) -> None:
    lines = len(file["executed_lines"]) + len(file["missing_lines"])
    never = sum(each["kind"] != "other" for each in file["missing_expressions"])
    page.add(
        ("  ", "plain"),
        (f"{_percent(len(file['executed_lines']), lines)} of {lines:>5,} lines", "plain"),
        (f"  {_percent(file['expressions'] - never, file['expressions'])}", "plain"),
        (f" of {file['expressions']:>4,} expressions  ", "plain"),
        (file["path"], "name"),
    )


def _percent(part: int, whole: int) -> str:
    """A percentage in four characters; 100% only if nothing is missing."""
    if not whole:
        return "   -"
    return f"{part * 100 // whole:>3}%"
