"""Findings of audits as a document and as a page."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from textwrap import dedent
from typing import TYPE_CHECKING

from coscope.audits.auditing import Audit
from coscope.audits.running.suppression import Ignore
from coscope.errors import CoscopeError
from coscope.model import Finding, Span, Step
from coscope.readers.notebooks import is_notebook, read_notebook
from coscope.readers.sources import source_of
from coscope.render.document.report import error_entry, header
from coscope.render.pages.sheet import Sheet, columns, measure
from coscope.render.pages.wording import wrapped
from coscope.render.text.measured import Pen, cells
from coscope.render.text.measured import without_surrogates as clean
from coscope.rules import discover, url_of

if TYPE_CHECKING:
    from coscope.render.schemas import audit as schema
    from coscope.render.schemas import report


_LABEL = 10  # cells: "evidence  "
_ROLES = {"error": "error", "warning": "warning", "info": "faint"}
_TAB = 4  # cells


@dataclass(frozen=True, slots=True)
class FileFix:
    """What was done, or could be done, about the findings of one file."""

    file: str
    diff: str  # unified; empty if only unsafe fixes are known
    fixed: int  # findings that are answered by it
    unsafe: int  # more that an unsafe fix would answer
    written: bool  # to the file


@dataclass(slots=True)
class Outcome:
    """What an audit came to."""

    target: str  # as the user named them
    mode: str  # "static", "live" or "warm"
    findings: Sequence[Finding] = ()
    files: int = 0  # that were looked at
    codes: int = 0  # code objects in them; of a warm run those that were seen to run
    ignored: int = 0  # findings that comments in the source take away
    known: int = 0  # findings that are in the baseline
    fixes: list[FileFix] = field(default_factory=list)  # of --fix and --diff
    top: int | None = None  # of the findings so many are shown; None: all
    unused: Sequence[tuple[str, Ignore]] = ()  # comments that take nothing away
    errors: list[report.Error] = field(default_factory=list)  # of what could not be read


def document(found: Outcome | Audit) -> schema.AuditDocument:
    """The document of docs/schema.md, "audit"."""
    outcome = _outcome(found) if isinstance(found, Audit) else found
    counts = Counter(finding.severity for finding in outcome.findings)
    shown = outcome.findings[: outcome.top]
    return {
        **header(),
        "command": "audit",
        "target": clean(outcome.target),
        "mode": outcome.mode,
        "findings": [entry(finding) for finding in shown],
        "unused_ignores": [
            {"file": clean(file), "line": each.line, "codes": list(each.codes)}
            for file, each in outcome.unused
        ],
        "unread": outcome.errors,
        "fixes": [
            {
                "file": clean(each.file),
                "diff": clean(each.diff),
                "fixed": each.fixed,
                "unsafe": each.unsafe,
                "written": each.written,
            }
            for each in outcome.fixes
        ],
        "statistics": statistics(outcome.findings),
        "totals": {
            "files": outcome.files,
            "codes": outcome.codes,
            "findings": len(outcome.findings),
            "shown": len(shown),
            "errors": counts["error"],
            "warnings": counts["warning"],
            "infos": counts["info"],
            "ignored": outcome.ignored,
            "known": outcome.known,
            "unread": len(outcome.errors),
        },
        "error": None,
    }


def _outcome(audit: Audit) -> Outcome:
    """What `coscope.audit` found, as what the command has."""
    outcome = Outcome(audit.target, "static", audit.findings, audit.files, audit.codes)
    outcome.ignored = audit.ignored
    outcome.errors = [error_entry(each) for each in audit.errors]
    return outcome


def statistics(findings: Iterable[Finding]) -> list[schema.AuditCount]:
    """How many findings each rule has, the most first."""
    counts = Counter((finding.rule, finding.title) for finding in findings)
    order = sorted(counts.items(), key=lambda each: (-each[1], each[0]))
    return [{"rule": rule, "title": title, "count": count} for (rule, title), count in order]


def entry(finding: Finding) -> schema.AuditFinding:
    """One finding in the document. Columns count characters from 1; the last one is excluded."""
    lines = _lines(finding.file)
    line, last, start, stop = _places(finding.span, lines)
    text = lines[line - 1] if line is not None and 0 < line <= len(lines) else None
    cell, line, last = _in_cell(finding.file, line, last)
    return {
        "rule": finding.rule,
        "title": clean(finding.title),
        "url": url_of(finding.rule),
        "message": clean(finding.message),
        "severity": finding.severity,
        "confidence": finding.confidence,
        "code": clean(finding.code),
        "target": None if finding.target is None else clean(finding.target),
        "file": None if finding.file is None else clean(finding.file),
        "cell": cell,
        "line": line,
        "column": start,
        "end_line": last,
        "end_column": stop,
        "offset": finding.offset,
        "version": finding.version,
        "source": None if text is None else clean(text),
        "evidence": [
            {
                "text": clean(each.text),
                "offset": each.offset,
                "line": _in_cell(finding.file, each.line, None)[1],
            }
            for each in finding.evidence
        ],
        "flow": [_step(each, lines, finding.file) for each in finding.flow],
        "why": clean(finding.why),
        "instead": clean(finding.instead),
        "nanoseconds": finding.nanoseconds,
        "runs": finding.runs,
        "saved": finding.saved,
    }


def _step(step: Step, lines: Sequence[str], file: str | None) -> schema.AuditStep:
    line, last, start, stop = _places(step.span, lines)
    _, line, last = _in_cell(file, line, last)
    return {
        "text": clean(step.text),
        "code": clean(step.code),
        "line": line,
        "column": start,
        "end_line": last,
        "end_column": stop,
    }


def _in_cell(
    file: str | None, line: int | None, last: int | None
) -> tuple[int | None, int | None, int | None]:
    """The cell of a notebook and the lines in it; of any other file no cell, and the same lines."""
    if file is None or line is None or not is_notebook(file):
        return None, line, last
    try:
        with open(file, "rb") as held:
            book = read_notebook(held.read(), file)
    except (OSError, CoscopeError):
        return None, line, last
    cell, number = book.place(line)
    return cell, number, None if last is None else last - line + number


def _lines(file: str | None) -> tuple[str, ...]:
    source = None if file is None else source_of(file)
    return () if source is None else source.lines


def _places(
    span: Span, lines: Sequence[str]
) -> tuple[int | None, int | None, int | None, int | None]:
    """First and last line, first and last column in characters from 1."""
    first, last = span.lineno, span.end_lineno
    return (
        first,
        first if last is None else last,
        _column(lines, first, span.col_offset),
        _column(lines, last, span.end_col_offset),
    )


def _column(lines: Sequence[str], line: int | None, offset: int | None) -> int | None:
    if line is None or offset is None or not 0 < line <= len(lines):
        return None
    before = lines[line - 1].encode("utf-8", "surrogatepass")[:offset]
    return len(before.decode("utf-8", "replace")) + 1


def sheet(
    found: schema.AuditDocument, pen: Pen, *, hints: bool = False, counts: bool = False
) -> Sheet:
    """The page of a document.

    Args:
        found: The document.
        pen: How to lay it out.
        hints: Show the example of each rule with its first finding.
        counts: End with a table of the rules.
    """
    page = Sheet(pen)
    shown: set[str] = set()
    for each in found["findings"]:
        _add_finding(page, each)
        if hints and each["rule"] not in shown:
            _add_example(page, each["rule"])
            shown.add(each["rule"])
        page.blank()
    for ignore in found["unused_ignores"]:
        codes = f"[{', '.join(ignore['codes'])}]" if ignore["codes"] else ""
        place = f"{shown_path(ignore['file'])}:{ignore['line']}"
        text = f"{place}: nothing is found that this ignores: # coscope: ignore{codes}"
        page.extend(wrapped(pen, text, "", "faint"))
    for fixed in found["fixes"]:
        _add_fix(page, fixed)
    page.blank()
    if counts:
        _add_statistics(page, found["statistics"])
    _add_totals(page, found)
    return page


def _add_finding(page: Sheet, each: schema.AuditFinding) -> None:
    _add_heading(page, each)
    page.extend(wrapped(page.pen, each["message"], "  ", "heading"))
    _add_source(page, each)
    _add_labelled(page, "in", each["target"] or each["code"])
    _add_flow(page, each["flow"])
    for at, fact in enumerate(each["evidence"]):
        line = fact["line"]
        where = f" (line {line})" if line is not None and line != each["line"] else ""
        _add_labelled(page, "evidence" if not at else "", fact["text"] + where)
    _add_gain(page, each)


def _add_flow(page: Sheet, flow: Sequence[schema.AuditStep]) -> None:
    """The way of a value: one line for each place that it passes."""
    lines = [str(each["line"] or "") for each in flow]
    width = max(map(len, lines), default=0)
    for at, (step, line) in enumerate(zip(flow, lines, strict=True)):
        _add_labelled(page, "" if at else "path", f"{line:>{width}} {step['text']}")


def _add_heading(page: Sheet, each: schema.AuditFinding) -> None:
    """The place and the rule: on one line if there is room."""
    pen = page.pen
    place, rule = _place(each), f"{each['rule']}  "
    note = f"{each['severity']}, {each['confidence']}"
    heading = [(rule, "name"), (note, _ROLES[each["severity"]])]
    if cells(pen.clean(place)) + 2 + cells(rule + note) <= pen.width:
        page.add((f"{place}  ", "title"), *heading)
    else:  # a path that is cut cannot be followed
        page.add((place, "title"))
        page.add(("  ", "plain"), *heading)


def _add_gain(page: Sheet, each: schema.AuditFinding) -> None:
    """What a change gains, why it matters, and what to write instead."""
    if each["nanoseconds"] is not None:
        gain = f"about {each['nanoseconds']:.0f} ns per operation"
        _add_labelled(page, "gain", f"{gain}, measured alone in a loop on this machine")
        if each["runs"] is not None and each["saved"] is not None:
            total = f"{each['saved']:.2g} s of this run could be saved at most"
            _add_labelled(page, "", f"{total}: it ran {each['runs']:,} times or less")
    if each["why"]:
        where = f"on CPython {each['version']}: " if each["rule"].startswith("PERF") else ""
        _add_labelled(page, "matters", where + each["why"])
    if each["instead"]:
        _add_labelled(page, "instead", each["instead"])


def _add_example(page: Sheet, code: str) -> None:
    """The code on the page of a rule."""
    rules = [rule for rule in discover("coscope.audits") if rule.code == code]
    blocks = [
        dedent(block)
        for rule in rules
        for block in re.findall(r"(?:^    .*\n?|^\n(?=    ))+", rule.page + "\n", re.MULTILINE)
        if not block.lstrip().startswith("CPython ")  # the table of what was measured
    ]
    lines = "\n\n".join(block.strip("\n") for block in blocks).splitlines()
    for at, line in enumerate(lines):
        label = "example" if not at else ""
        text = page.pen.fit(page.pen.clean(line), page.pen.width - 2 - _LABEL)
        page.add((f"  {label:<{_LABEL}}", "faint"), (text, "source"))


def shown_path(file: str) -> str:
    """A path relative to the current folder, if it lies in it."""
    here = os.path.join(os.getcwd(), "")
    return file.removeprefix(here) if os.path.isabs(file) else file


def _place(each: schema.AuditFinding) -> str:
    file = None if each["file"] is None else shown_path(each["file"])
    cell = None if each["cell"] is None else f"cell {each['cell']}"
    parts = [file or each["target"] or each["code"], cell, each["line"], each["column"]]
    return ":".join(str(part) for part in parts if part is not None)


def _add_source(page: Sheet, each: schema.AuditFinding) -> None:
    """The line, and under it a mark from the first to the last column."""
    if not each["source"] or not each["source"].strip():
        return
    pen = page.pen
    number = f"  {each['line']:>4}{pen.separator.rstrip()} "
    raw = each["source"]
    first = len(raw) - len(raw.lstrip())
    start = (each["column"] or first + 1) - 1
    stop = len(raw) if each["end_line"] != each["line"] else (each["end_column"] or 0) - 1
    shown, before, marked = (
        pen.clean(part.expandtabs(_TAB))
        for part in (raw[first:], raw[first:start], raw[start : max(start, stop)])
    )
    room = pen.width - cells(number)
    page.add((number, "line number"), (pen.fit(shown, room), "source"))
    if each["column"] is not None and start >= first and cells(before) < room:
        size = max(1, min(cells(marked.rstrip()), room - cells(before)))
        page.add((" " * (cells(number) + cells(before)) + "^" * size, "mark"))


def _add_labelled(page: Sheet, label: str, text: str) -> None:
    indent = " " * (2 + _LABEL)
    for at, line in enumerate(wrapped(page.pen, text, indent, "plain")):
        if at:
            page.add(*line)
        else:
            page.add((f"  {label:<{_LABEL}}", "faint"), (line[0][0].lstrip(), "plain"))


def _add_fix(page: Sheet, fixed: schema.AuditFix) -> None:
    """The difference that a fix makes, and what was done with it."""
    if fixed["diff"]:
        verb = "fixed" if fixed["written"] else "can be fixed"
        place = shown_path(fixed["file"])
        page.add((place, "title"), (f": {_count(fixed['fixed'], 'finding')} {verb}", "plain"))
        for line in fixed["diff"].splitlines():
            role = (
                "mark" if line.startswith("+") else "warning" if line.startswith("-") else "faint"
            )
            page.add((f"  {page.pen.clean(line)}", role))
    if fixed["unsafe"]:
        text = f"{_count(fixed['unsafe'], 'finding')} more with --unsafe-fixes"
        page.add((shown_path(fixed["file"]), "title"), (f": {text}", "faint"))
    page.blank()


def _add_statistics(page: Sheet, found: Sequence[schema.AuditCount]) -> None:
    if not found:
        return
    rows = [
        ((f"{each['count']:,}", "value"), (each["rule"], "name"), (each["title"], "plain"))
        for each in found
    ]
    page.extend(columns(page.pen, rows, measure(page.pen, rows, page.pen.width - 2)))
    page.blank()


def _add_totals(page: Sheet, found: schema.AuditDocument) -> None:
    totals = found["totals"]
    where = _looked_at(found)
    if totals["shown"] < totals["findings"]:
        count = _count(totals["findings"], "finding")
        text = f"The {totals['shown']} of {count} by which most could be saved."
        page.add((f"  {text}", "faint"))
    if totals["findings"]:
        parts = [
            text
            for count, text in (
                (totals["errors"], _count(totals["errors"], "error")),
                (totals["warnings"], _count(totals["warnings"], "warning")),
                (totals["infos"], f"{totals['infos']:,} for your information"),
            )
            if count
        ]
        page.add((_count(totals["findings"], "finding"), "heading"), (f" in {where}", "plain"))
        page.add((f"  {', '.join(parts)}", "plain"))
        page.add(
            (f"  coscope rule {found['statistics'][0]['rule']}", "value"), (" explains", "plain")
        )
        page.add((f"  {url_of(found['statistics'][0]['rule'])}", "faint"))
    else:
        page.add((f"{where}: ", "plain"), ("no finding", "mark"))
    if totals["known"]:
        page.add((f"  {_count(totals['known'], 'finding')} more in the baseline", "faint"))
    if totals["ignored"]:
        page.add((f"  {_count(totals['ignored'], 'finding')} ignored by comments", "faint"))
    if totals["unread"]:
        page.add((f"  {_count(totals['unread'], 'target')} could not be read", "warning"))


def _looked_at(found: schema.AuditDocument) -> str:
    """What was looked at: the code objects of files, or the functions that were seen to run."""
    totals = found["totals"]
    files = _count(totals["files"], "file")
    if found["mode"] == "warm":
        return f"{_count(totals['codes'], 'function')} of {files} watched"
    return f"{_count(totals['codes'], 'code object')} of {files}" if totals["codes"] else files


def _count(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"
