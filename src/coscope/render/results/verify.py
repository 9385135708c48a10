"""The verifier's reports as a document and as a page; of many targets piece by piece."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from coscope.errors import CodeError
from coscope.model import Code, Instructions
from coscope.opcodes import VERSIONS, table
from coscope.render.document.report import header
from coscope.render.pages.sheet import Line, Sheet
from coscope.render.pages.wording import wrapped
from coscope.render.text.measured import Pen, cells
from coscope.render.text.measured import without_surrogates as clean
from coscope.rules import discover
from coscope.verifier import CHECKS
from coscope.verifier.report import Contract, Report, Violation

if TYPE_CHECKING:
    from coscope.render.schemas import report
    from coscope.render.schemas import verify as schema


STRUCTURAL = "structural only"  # 3.8 to 3.10
_AROUND = 2  # instructions shown before and after the one in question
_SHOWN = 20  # violations of one target on the page; the document has all of them
_LABEL = 10  # cells: "expected  "


@dataclass(slots=True)
class Totals:
    """What came out over all targets."""

    targets: int = 0  # those that could be read
    files: bool = True  # all targets are files
    codes: int = 0
    violations: int = 0
    undecided: int = 0  # places where a bound of work was reached
    faulty: int = 0  # code objects with a violation
    errors: int = 0  # targets that could not be read
    structural: int = 0  # targets whose values could not be followed
    rules: tuple[str, ...] = ()  # that were violated, each once

    def add(self, entry: schema.VerifyReport) -> None:
        """Count one entry of the document."""
        if entry["error"] is not None:
            self.errors += 1
            return
        found = entry["violations"]
        self.targets += 1
        self.files &= bool(entry["whole"])
        self.codes += entry["codes"]
        self.structural += bool(entry["structural"])
        self.undecided += len(entry["undecided"])
        if found:
            self.violations += len(found)
            self.faulty += len({violation["number"] for violation in found})
            self.rules = tuple(sorted({*self.rules, *(each["rule"] for each in found)}))


def document(result: Report) -> schema.VerifyDocument:
    """The document of docs/schema.md, "verify", for one report."""
    report = entry(result, target=result.name)
    totals = Totals()
    totals.add(report)
    return {**opening(result.name), "reports": [report], **closing(totals)}


def opening(target: str) -> schema.VerifyOpening:
    """The part of the document before the reports."""
    return {
        **header(),
        "command": "verify",
        "target": clean(target),
    }


def closing(totals: Totals, error: report.Error | None = None) -> schema.VerifyClosing:
    """The part of the document after the reports.

    Args:
        totals: Of all reports.
        error: What ended the work before its time, if anything did.
    """
    return {
        "ok": not (totals.violations or totals.undecided or totals.errors or error),
        "totals": {
            "targets": totals.targets,
            "codes": totals.codes,
            "violations": totals.violations,
            "faulty_codes": totals.faulty,
            "undecided": totals.undecided,
            "errors": totals.errors,
            "structural": totals.structural,
        },
        "error": error,
    }


def entry(result: Report, *, target: str) -> schema.VerifyReport:
    """One report in the document.

    Args:
        result: The report.
        target: What the user named, or what was found in a folder that he named.
    """
    codes = [] if result.ok else list(result.code.walk())
    return {
        "target": clean(target),
        "ok": result.ok,
        "verdict": result.verdict,
        "file": clean(result.file),
        "name": clean(result.name),
        "whole": result.code.kind == "module",
        "version": result.version,
        "release": result.code.release,
        "structural": result.structural,
        "codes": result.codes,
        "contract": _contract(result.contract),
        "violations": [_violation(each, codes[each.number]) for each in result.violations],
        "undecided": [_violation(each, codes[each.number]) for each in result.undecided],
        "warnings": [clean(each) for each in result.warnings],
        "error": None,
    }


def unread(target: str, error: report.Error) -> schema.VerifyReport:
    """The entry of a target that cannot be read; `error` is that of `error_document`."""
    return {
        "target": clean(target),
        "ok": False,
        "verdict": None,
        "file": error.get("file"),
        "name": None,
        "whole": None,
        "version": None,
        "release": None,
        "structural": None,
        "codes": 0,
        "contract": None,
        "violations": [],
        "undecided": [],
        "warnings": [],
        "error": error,
    }


def _contract(contract: Contract) -> schema.VerifyContract:
    return {
        "freevars": [clean(name) for name in contract.freevars],
        "contents": [{"name": clean(name), "kind": kind} for name, kind in contract.contents],
        "arguments": [{"name": clean(name), "kind": kind} for name, kind in contract.arguments],
        "called": contract.called,
        "text": clean(str(contract)),
    }


def _violation(violation: Violation, code: Code) -> schema.VerifyViolation:
    return {
        "rule": violation.rule,
        "title": _titles().get(violation.rule, violation.message),
        "message": clean(violation.message),
        "number": violation.number,
        "code": clean(violation.code),
        "file": None if violation.file is None else clean(violation.file),
        "filename": clean(code.filename),
        "line": violation.line,
        "offset": violation.offset,
        "opname": violation.opname,
        "expected": None if violation.expected is None else clean(violation.expected),
        "found": None if violation.found is None else clean(violation.found),
        "stack": None if violation.stack is None else [clean(kind) for kind in violation.stack],
        "instructions": _around(code, violation.offset),
    }


@cache
def _titles() -> dict[str, str]:
    return {rule.code: rule.title for rule in discover(CHECKS)}


def _around(code: Code, offset: int | None) -> list[schema.VerifyInstruction]:
    """The instruction at an offset, or the one that it lies in, with those around it."""
    if offset is None:
        return []
    try:
        columns = code.instructions
    except CodeError:
        return []
    at = bisect_left(columns.offsets, offset + 1) - 1
    if at < 0:
        return []
    shown = range(max(0, at - _AROUND), min(len(columns), at + _AROUND + 1))
    here = at if offset < columns.end_offset(at) else None
    return [_instruction(columns, index, index == here) for index in shown]


def _instruction(columns: Instructions, index: int, here: bool) -> schema.VerifyInstruction:
    return {
        "offset": columns.offsets[index],
        "opname": columns.opname(index),
        "arg": columns.arg(index),
        "argrepr": clean(columns.argrepr(index)),
        "here": here,
    }


def sheet(found: schema.VerifyDocument, pen: Pen) -> Sheet:
    """The page of a document; `target_sheet` and `totals_sheet` make it piece by piece."""
    page = Sheet(pen)
    totals = Totals()
    alone = len(found["reports"]) == 1
    for report in found["reports"]:
        totals.add(report)
        if alone or report["violations"] or report["undecided"]:
            page.blank()
            page.lines += target_sheet(report, pen, alone=alone).lines
    page.blank()
    page.lines += totals_sheet(totals, pen).lines
    return page


def target_sheet(report: schema.VerifyReport, pen: Pen, *, alone: bool) -> Sheet:
    """What is to be said of one target.

    Args:
        report: Its entry.
        pen: How to lay it out.
        alone: It is the only target, so that its contract is worth a line.
    """
    page = Sheet(pen)
    _add_opening(page, report, alone=alone)
    shown = report["violations"][:_SHOWN]
    for violation in shown:
        page.blank()
        _add_violation(page, violation)
    for place in report["undecided"][:_SHOWN]:
        page.blank()
        page.add(("  not decided", "warning"), (f"  {place['message']}", "plain"))
        page.extend(wrapped(pen, _where(place), "    ", "name"))
    left = len(report["violations"]) - len(shown)
    if left:
        page.blank()
        page.add((f"  and {_count(left, 'more violation')} here; --json lists all", "warning"))
    return page


def _add_opening(page: Sheet, report: schema.VerifyReport, *, alone: bool) -> None:
    """The title, the contract and the warnings."""
    pen = page.pen
    title = (report["file"] if report["whole"] else report["name"]) or ""
    summary = f"  {_summary(report)}"
    if cells(pen.clean(title + summary)) <= pen.width:
        page.add((title, "title"), (summary, "faint"))
    else:
        page.add((pen.fit(title, pen.width, "end"), "title"))
        page.extend(wrapped(pen, summary, "  ", "faint"))
    if alone and report["contract"] is not None:
        text = report["contract"]["text"]
        for at, line in enumerate(wrapped(pen, text, "           ", "plain")):
            page.add(
                *([("  entered  ", "faint"), (line[0][0].strip(), "plain")] if not at else line)
            )
    for warning in report["warnings"]:
        page.add(("  warning: ", "warning"), (warning, "plain"))


def _summary(report: schema.VerifyReport) -> str:
    release = report["release"] or f"{report['version']}.x"
    parts = [] if report["whole"] else [report["file"] or ""]
    parts += [f"CPython {release}", _count(report["codes"], "code object")]
    if report["structural"]:
        parts.append(f"{STRUCTURAL}: kinds of values are not followed")
    return ", ".join(parts)


def _add_violation(page: Sheet, violation: schema.VerifyViolation) -> None:
    pen = page.pen
    page.add(("  ", "plain"), (violation["rule"], "error"), (f"  {violation['title']}", "heading"))
    page.extend(wrapped(pen, _where(violation), "    ", "name"))
    if violation["message"].casefold() != violation["title"].casefold():
        page.extend(wrapped(pen, violation["message"], "    ", "plain"))
    page.extend(_listing(pen, violation["instructions"]))
    for label, said in (("expected", violation["expected"]), ("found", violation["found"])):
        if said is not None:
            text = pen.fit(said, pen.width - 4 - _LABEL, "both")
            page.add((f"    {label:<{_LABEL}}", "faint"), (text, "value"))
    if violation["stack"] is not None:
        page.add((f"    {'stack':<{_LABEL}}", "faint"), *_stack(pen, violation["stack"]))


def _where(violation: schema.VerifyViolation) -> str:
    """Code object, line of its source file (which is not the file of a .pyc), byte offset."""
    text = str(violation["code"])
    if violation["line"] is not None:
        text += f" at {violation['filename']}:{violation['line']}"
    if violation["offset"] is not None:
        text += f", byte {violation['offset']}"
    return text


def _listing(pen: Pen, instructions: Sequence[schema.VerifyInstruction]) -> list[Line]:
    names = max((len(each["opname"]) for each in instructions), default=0)
    args = max((len(str(each["arg"])) for each in instructions), default=0)
    offsets = max((len(str(each["offset"])) for each in instructions), default=0)
    lines: list[Line] = []
    for each in instructions:
        arg = "" if each["arg"] is None else str(each["arg"])
        role = "error" if each["here"] else "opcode"
        lines.append(
            [
                (f"    {pen.arrow if each['here'] else '':<3}", "error"),
                (f"{each['offset']:>{offsets}}  ", "offset"),
                (pen.pad(each["opname"], names), role),
                (f"  {arg:>{args}}", "faint"),
                (f"  {pen.clean(each['argrepr'])}", "operand"),
            ]
        )
    return lines


def _stack(pen: Pen, stack: Sequence[str]) -> Line:
    """The kinds, deepest first; what does not fit is cut at the deep end."""
    if not stack:
        return [("empty", "stack")]
    text = pen.separator.join(pen.clean(kind) for kind in stack)
    note = "  deepest first" if len(stack) > 1 else ""
    room = pen.width - 4 - _LABEL - len(note)
    return [(pen.fit(text, room, "end"), "stack"), (note, "faint")]


def totals_sheet(totals: Totals, pen: Pen) -> Sheet:
    """The last lines: what came out over all targets."""
    page = Sheet(pen)
    _add_violations(page, totals)
    if totals.undecided:
        page.add((f"{_count(totals.undecided, 'place')} not decided: more work than is allowed",
                  "warning"))  # fmt: skip
    if totals.structural and totals.targets > 1:
        old = [each for each in VERSIONS if table(each).exceptions == "block stack"]
        counted = f"{totals.structural:,} of CPython {old[0]} to {old[-1]}"
        page.add((f"{STRUCTURAL} for {counted}: kinds of values are not followed there", "warning"))
    if totals.errors:
        page.add((f"{_count(totals.errors, 'target')} could not be read", "warning"))
    return page


def _add_violations(page: Sheet, totals: Totals) -> None:
    """How many violations there are, and in how much."""
    where = _count(totals.codes, "code object")
    if totals.targets > 1:
        where += f" of {_count(totals.targets, 'file' if totals.files else 'target')}"
    if totals.violations:
        page.add(
            (_count(totals.violations, "violation"), "error"),
            (f" in {totals.faulty:,} of {where}; ", "plain"),
            (f"coscope rule {totals.rules[0]}", "value"),
            (" explains", "plain"),
        )
    elif totals.targets:
        page.add((f"{where}: ", "plain"), ("no violation", "mark"))


def _count(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"
