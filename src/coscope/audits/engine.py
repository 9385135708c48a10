"""Runs rules: over the code objects of a file, and over the live objects of modules."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from coscope.audits.facts import Subject, Unit
from coscope.audits.facts_loops import jumps_back
from coscope.audits.options import Options
from coscope.audits.selection import holds_for
from coscope.errors import CoscopeError, InternalError
from coscope.model import CONFIDENCES, SEVERITIES, Code, Evidence, Finding, Function
from coscope.opcodes import table
from coscope.readers.targets import read_file
from coscope.rules import Rule


@dataclass(frozen=True, slots=True)
class Audited:
    """What became of one file or module."""

    file: str
    findings: tuple[Finding, ...] = ()
    codes: int = 0  # code objects that were looked at
    error: CoscopeError | None = None  # why it could not be read


def audit_file(
    path: str, rules: Sequence[Rule], options: Options | None = None, *, python: str | None = None
) -> Audited:
    """Audit a source file or a .pyc by the static rules. It is compiled, never executed.

    Raises:
        InputError: As `read`.
        InternalError: A rule failed.
    """
    unit = unit_of(read_file(path, python=python), path, options)
    return audit_unit(unit, rules)


def unit_of(function: Function, path: str, options: Options | None = None) -> Unit:
    """A file that was read, as what rules look at."""
    return Unit(
        path,
        function.code,
        function.source,
        function.code.version,
        options,
        compiled=function.origin == "pyc",
    )


def audit_unit(unit: Unit, rules: Sequence[Rule]) -> Audited:
    """Run the static rules over every code object of a file.

    Raises:
        InternalError: A rule failed.
    """
    assert unit.code is not None
    plan = _plan(tuple(rules), unit.version, unit.compiled)
    found: list[Finding] = []
    codes = 0
    for code in unit.code.walk():
        codes += 1
        wanted = plan.for_code(code)
        if wanted:
            subject = Subject(code, unit)
            for rule in wanted:
                found += run_rule(rule, subject)
    return Audited(unit.file, in_order(found), codes)


def audit_subjects(subjects: Iterable[Subject], rules: Sequence[Rule]) -> list[Finding]:
    """Run the live rules over live objects, and the warm ones where their code has run.

    Raises:
        InternalError: A rule failed.
    """
    found: list[Finding] = []
    for subject in subjects:
        for rule in rules:
            wanted = rule.live or (rule.warm and subject.unit.warm)
            if wanted and holds_for(rule.versions, subject.version):
                found += run_rule(rule, subject)
    return _merged(found)


def _merged(findings: Iterable[Finding]) -> list[Finding]:
    """One finding for all objects of which the same is true at the same place."""
    groups: dict[tuple[object, ...], list[Finding]] = {}
    for each in findings:
        key = each.rule, each.file, each.span, each.offset, each.message
        groups.setdefault(key, []).append(each)
    made = []
    for alike in groups.values():
        first, more = alike[0], len(alike) - 1
        if more:
            what = "another object" if more == 1 else f"{more:,} more objects"
            text = f"the same is true of {what}, such as {alike[1].target or alike[1].code}"
            first = replace(first, evidence=(*first.evidence, Evidence(text)))
        made.append(first)
    return made


def run_rule(rule: Rule, subject: Subject) -> Iterator[Finding]:
    """The findings of one rule about one subject, complete.

    Raises:
        InternalError: The rule failed; coscope's own errors about bad code pass as they are.
    """
    try:
        made = list(rule.check(subject))
    except CoscopeError:
        raise
    except Exception as error:
        raise InternalError(
            f"rule {rule.code} failed: {type(error).__name__}: {error}",
            file=subject.unit.file,
            code=subject.code.qualname,
        ) from error
    for finding in made:
        finding = replace(finding, title=rule.title, severity=finding.severity or rule.severity)
        if finding.severity not in SEVERITIES or finding.confidence not in CONFIDENCES:
            raise InternalError(f"rule {rule.code} made a finding of no known severity")
        yield finding


class _Plan:
    """Which rules of a selection look at what code of one version."""

    def __init__(self, rules: Iterable[Rule], version: str, compiled: bool) -> None:
        static = [
            rule
            for rule in rules
            if not rule.live
            and not rule.warm
            and (compiled or not rule.compiled)
            and holds_for(rule.versions, version)
        ]
        rows = table(version).opcodes
        self.named = [rule for rule in static if rule.names]
        self.names = frozenset(name for rule in self.named for name in rule.names)
        self.constants = [rule for rule in static if rule.constants and not rule.names]
        self.others = [
            (rule, frozenset(rows[name].code for name in rule.opnames if name in rows))
            for rule in static
            if not rule.names and not rule.constants
        ]

    def for_code(self, code: Code) -> list[Rule]:
        """The rules for one code object, told from its names, constants and bytes alone."""
        wanted: list[Rule] = []
        names = self.names.intersection(code.names)
        if names:
            wanted += [rule for rule in self.named if not rule.names.isdisjoint(names)]
        if self.constants:
            sizes = [len(held) for held in code.consts if type(held) in (bytes, str)]
            longest = max(sizes, default=0)
            wanted += [rule for rule in self.constants if longest >= rule.constants]
        if not self.others and not wanted:
            return wanted
        used = frozenset(code.code[::2])
        wanted += [
            rule for rule, codes in self.others if not rule.opnames or not used.isdisjoint(codes)
        ]
        if any(rule.loops for rule in wanted) and not jumps_back(code):
            wanted = [rule for rule in wanted if not rule.loops]
        if any(rule.names and rule.opnames for rule in wanted):
            wanted = [rule for rule in wanted if _has_opcodes(rule, code, used)]
        return wanted


def _has_opcodes(rule: Rule, code: Code, used: frozenset[int]) -> bool:
    rows = table(code.version).opcodes
    return not rule.opnames or any(rows[name].code in used for name in rule.opnames if name in rows)


@lru_cache(maxsize=32)
def _plan(rules: tuple[Rule, ...], version: str, compiled: bool) -> _Plan:
    return _Plan(rules, version, compiled)


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings in a stable order, each once: by file, place, rule and words."""
    return tuple(dict.fromkeys(sorted(findings, key=_place)))


def _place(finding: Finding) -> tuple[str, int, int, str, str, str]:
    span = finding.span
    return (
        finding.file or "",
        span.lineno or 0,
        span.col_offset or 0,
        finding.rule,
        finding.code,
        finding.message,
    )


def with_bounds(
    findings: Iterable[Finding], rules: Iterable[Rule], options: Options
) -> tuple[Finding, ...]:
    """Measure what the findings cost here and now, where their rules can; drop the cheap ones.

    Bounds are measured once a rule and version, in this process, and never cached with findings.
    """
    measures = {rule.code: rule.lower_bound for rule in rules}
    bounds: dict[tuple[str, str], float | None] = {}
    kept = []
    for finding in findings:
        measure = measures.get(finding.rule)
        if measure is None:
            kept.append(finding)
            continue
        key = finding.rule, finding.version
        if key not in bounds:
            bounds[key] = measure(finding.version)
        bound = bounds[key]
        if bound is None:
            kept.append(finding)
        elif bound >= options.least_nanoseconds:
            kept.append(replace(finding, nanoseconds=bound, confidence="measured"))
    return tuple(kept)
