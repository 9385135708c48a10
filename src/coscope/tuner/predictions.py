"""What the findings in a function can gain at most: how often, times what one operation loses."""

from __future__ import annotations

import os
from collections.abc import Iterable
from importlib import import_module

from coscope.audits.calibration import Pair, lower_bound
from coscope.audits.options import Options
from coscope.audits.running.engine import audit_unit, unit_of
from coscope.audits.selection import all_rules
from coscope.audits.subject.subject import Subject, Unit
from coscope.model import Finding
from coscope.readers.files import read_file
from coscope.rules import Rule
from coscope.tuner.processes import Processes
from coscope.tuner.trial import Cost, Proposal


def proposals(
    processes: Processes, file: str, name: str, lines: dict[int, int], cost: Cost
) -> tuple[tuple[Proposal, ...], int]:
    """The findings in a function that may be worth it, and how many cannot be.

    Args:
        processes: What measures on the interpreter in question.
        file: Of the function; without it there are no findings.
        name: The function's qualified name.
        lines: How often each line is executed.
        cost: Of all that.
    """
    if not os.path.exists(file):
        return (), 0
    rules = _static_rules()
    options = Options()
    unit = unit_of(read_file(file, python=processes.interpreter), file, options)
    # The lines were counted: a loop needs no other sign that it has many rounds.
    unit.runs = {
        (code.qualname, code.firstlineno): "its rounds were counted"
        for code in unit.codes
        if code.qualname == name or code.qualname.startswith(f"{name}.")
    }
    findings = [each for each in audit_unit(unit, rules).findings if _is_within(each, name)]
    bounds = upper_bounds({finding.rule for finding in findings}, rules, processes)
    found = []
    for finding in findings:
        times = operations(unit, finding, lines)
        bound = bounds.get(finding.rule)
        if bound is None:
            found.append(Proposal(finding, times, None, None))
            continue
        share = min(1.0, times * max(0.0, bound) / max(cost.nanoseconds, 1e-9))
        if bound >= options.least_nanoseconds and share >= options.least_share:
            found.append(Proposal(finding, times, bound, share))
    return tuple(found), len(findings) - len(found)


def _static_rules() -> list[Rule]:
    """The rules on performance that need neither a live object nor a run."""
    rules = [rule for rule in all_rules() if rule.code.startswith("PERF")]
    return [rule for rule in rules if not rule.live and not rule.warm]


def _is_within(finding: Finding, name: str) -> bool:
    """True if a finding is in the function or in what is nested in it."""
    return finding.code == name or finding.code.startswith(f"{name}.")


def operations(unit: Unit, finding: Finding, lines: dict[int, int]) -> int:
    """How often the operation of a finding is executed: of a name, wherever the code uses it."""
    own = lines.get(finding.line or 0, 0)
    subject = _subject(unit, finding)
    if subject is None or finding.offset is None:
        return own
    columns = subject.instructions
    name = _name(subject, columns.at(finding.offset).index)
    if name is None:
        return own
    return sum(
        lines.get(subject.span(index).lineno or 0, 0)
        for index in range(len(columns))
        if _name(subject, index) == name
    )


def _subject(unit: Unit, finding: Finding) -> Subject | None:
    found = [
        code
        for code in unit.codes
        if code.qualname == finding.code and code.firstlineno <= (finding.line or 0)
    ]
    return Subject(found[-1], unit) if found else None


def _name(subject: Subject, index: int) -> str | None:
    """The attribute or the variable that an instruction reads or writes."""
    opname = subject.instructions.opname(index)
    if not opname.endswith(("_ATTR", "_METHOD", "_GLOBAL")):
        return None
    value = subject.instructions.argval(index)
    return value if isinstance(value, str) else None


def upper_bounds(codes: set[str], rules: Iterable[Rule], processes: Processes) -> dict[str, float]:
    """Nanoseconds that an operation of each rule loses at most, on an interpreter.

    The upper bound of the median of what a micro-benchmark measures there, now: of the rule's
    `DEAREST` pair, if its operations lose differently.
    """
    pairs = {}
    for rule in rules:
        pair = getattr(rule.lower_bound, "__self__", None)
        pair = getattr(import_module(rule.module), "DEAREST", pair)
        if rule.code in codes and isinstance(pair, Pair):
            pairs[rule.code] = {name: getattr(pair, name) for name in Pair.__dataclass_fields__}
    if not pairs:
        return {}
    told = processes.ask("calibrate", pairs=pairs)["differences"]
    return {
        code: -lower_bound([-each for each in measured])
        for code, measured in told.items()
        if isinstance(measured, list)
    }
