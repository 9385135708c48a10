"""What a run covered, in forms that other tools take: LCOV, coverage.py's JSON, a page of HTML."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from html import escape

from coscope.coverage.measured import Coverage, FileCoverage, shown_path
from coscope.render.document.report import producer_version
from coscope.render.results.coverage import missed_entry
from coscope.render.to_json import to_json


def to_lcov(found: Coverage) -> str:
    """LCOV: DA for the lines, BRDA for the expressions that depend on a condition.

    Source:
        geninfo(1) of LCOV 2.0, "FILES".
    """
    return "".join(f"{line}\n" for file in found.files for line in _lcov(file))


def _lcov(file: FileCoverage) -> Iterator[str]:
    yield "TN:"
    yield f"SF:{shown_path(file.path)}"
    numbers: dict[int, int] = {}
    for line, ran in file.branches:
        number = numbers[line] = numbers.get(line, -1) + 1
        yield f"BRDA:{line},0,{number},{1 if ran else 0}"
    yield f"BRF:{len(file.branches)}"
    yield f"BRH:{sum(ran for _, ran in file.branches)}"
    executed = set(file.executed)
    for line in sorted([*file.executed, *file.missing]):
        yield f"DA:{line},{1 if line in executed else 0}"
    yield f"LF:{len(file.executed) + len(file.missing)}"
    yield f"LH:{len(file.executed)}"
    yield "end_of_record"


def to_coverage_json(found: Coverage) -> str:
    """The JSON of coverage.py, with `missing_expressions` for each file in addition.

    Source:
        coverage.py 7.17, coverage/jsonreport.py, format 3.
    """
    files = {
        shown_path(file.path): {
            "executed_lines": list(file.executed),
            "summary": _summary([file]),
            "missing_lines": list(file.missing),
            "excluded_lines": list(file.excluded),
            "missing_expressions": [missed_entry(each) for each in file.missed],
        }
        for file in found.files
    }
    document = {
        "meta": {
            "format": 3,
            "version": f"coscope {producer_version()}",
            "timestamp": datetime.now(UTC).replace(tzinfo=None).isoformat(),
            "branch_coverage": False,
            "show_contexts": False,
        },
        "files": files,
        "totals": _summary(found.files),
    }
    return to_json(document)


def _summary(files: list[FileCoverage] | tuple[FileCoverage, ...]) -> dict[str, object]:
    covered = sum(len(file.executed) for file in files)
    missing = sum(len(file.missing) for file in files)
    percent = 100.0 * covered / (covered + missing) if covered + missing else 100.0
    return {
        "covered_lines": covered,
        "num_statements": covered + missing,
        "percent_covered": percent,
        "percent_covered_display": f"{percent:.0f}",
        "missing_lines": missing,
        "excluded_lines": sum(len(file.excluded) for file in files),
    }


_STYLE = """\
:root{color-scheme:light dark}
body{font:14px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem}
pre{font:13px/1.5 ui-monospace,Menlo,Consolas,monospace;overflow-x:auto}
td,th{padding:.1rem .8rem;text-align:right}td:last-child,th:last-child{text-align:left}
.no{color:#888;user-select:none}.ran{box-shadow:inset 3px 0 #1a7f37}
.missed{box-shadow:inset 3px 0 #cf222e}.line{display:block;padding-left:.6rem}
mark{background:#f9c0c0;color:inherit;border-bottom:2px solid #cf222e}
@media (prefers-color-scheme:dark){mark{background:#6e2020}}
"""


def to_html(found: Coverage) -> str:
    """One self-contained page: a table of the files, then each with its source and marks."""
    rows = "".join(
        f"<tr><td>{len(file.executed)}<td>{len(file.missing)}<td>{len(file.missed)}"
        f'<td><a href="#f{number}">{escape(shown_path(file.path))}</a>'
        for number, file in enumerate(found.files)
    )
    sources = "".join(_source(number, file) for number, file in enumerate(found.files))
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Expression coverage</title>'
        f"<style>{_STYLE}</style><h1>Expression coverage</h1>"
        "<p>Green lines ran, red lines never did. Marked expressions never ran on lines that did."
        "<table><tr><th>lines that ran<th>that did not<th>expressions that never ran<th>file"
        f"{rows}</table>{sources}</html>\n"
    )


def _source(number: int, file: FileCoverage) -> str:
    executed, missing = set(file.executed), set(file.missing)
    marks: dict[int, list[tuple[int, int, str]]] = {}
    for each in file.missed:
        for line in range(each.line, each.end_line + 1):
            start = each.column if line == each.line else 0
            stop = each.end_column if line == each.end_line else 10**9
            marks.setdefault(line, []).append((start, stop, each.kind))
    width = len(str(len(file.lines)))
    lines = []
    for at, text in enumerate(file.lines, 1):
        kind = "ran" if at in executed else "missed" if at in missing else ""
        body = _marked(text, sorted(marks.get(at, [])))
        lines.append(
            f'<span class="line {kind}"><span class="no">{at:>{width}}  </span>{body}</span>'
        )
    path = escape(shown_path(file.path))
    return f'<h2 id="f{number}">{path}</h2><pre>{"".join(lines)}</pre>'


def _marked(text: str, marks: list[tuple[int, int, str]]) -> str:
    data = text.encode("utf-8", "surrogatepass")
    parts = []
    at = 0
    for start, stop, kind in marks:
        if start < at:
            continue
        parts.append(escape(data[at:start].decode("utf-8", "replace")))
        inside = escape(data[start:stop].decode("utf-8", "replace"))
        parts.append(f'<mark title="{escape(kind)}: never ran">{inside}</mark>')
        at = min(stop, len(data))
    parts.append(escape(data[at:].decode("utf-8", "replace")))
    return "".join(parts)
