"""Runs rules: over the code objects of a file, and over the live objects of modules."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from coscope.audits.options import Options
from coscope.audits.prefilter.glances import Overview
from coscope.audits.prefilter.plan import plan_of
from coscope.audits.selection import holds
from coscope.audits.subject.subject import Subject, Unit
from coscope.errors import CoscopeError, InternalError, SourceError
from coscope.model import CONFIDENCES, SEVERITIES, Evidence, Finding, Function
from coscope.readers import locate
from coscope.readers.files import read_file
from coscope.readers.from_function import HOST_VERSION
from coscope.readers.from_source import compile_live, read_bytes
from coscope.readers.naming import is_source
from coscope.readers.sources import is_plain, source_from
from coscope.rules import Rule


@dataclass(frozen=True, slots=True)
class Audited:
    """What became of one file or module."""

    file: str
    findings: tuple[Finding, ...] = ()
    codes: int = 0  # code objects that were looked at
    error: CoscopeError | None = None  # why it could not be read
    warnings: tuple[str, ...] = ()  # what the reader of the file warned of


def audit_file(
    path: str, rules: Sequence[Rule], options: Options | None = None, *, python: str | None = None
) -> Audited:
    """Audit a source file or a .pyc by the static rules. It is compiled, never executed.

    Raises:
        InputError: As `read`.
        InternalError: A rule failed.
    """
    if "::" in path and not os.path.exists(path):  # of an archive, or one code object of a file
        target = locate(path, python=python)
        part = audit_unit(unit_of(target.function, path, options), rules)
        return replace(part, warnings=target.function.warnings)
    if python is None and is_source(path):
        return audit_unit(read_unit(path, options), rules)
    function = read_file(path, python=python)
    found = audit_unit(unit_of(function, path, options), rules)
    return replace(found, warnings=function.warnings)


def read_unit(path: str, options: Options | None = None, *, python: str | None = None) -> Unit:
    """Read a file as what rules look at; what this interpreter compiles is copied when needed.

    Raises:
        InputError: As `read`.
    """
    if python is not None or not is_source(path):
        return unit_of(read_file(path, python=python), path, options)
    data = read_bytes(path)
    source = None if is_plain(data) else source_from(data, path)
    try:
        co = compile_live(data, path)
    except SourceError:
        source_from(data, path)  # has a better message for what is not text
        raise
    text = (lambda: source_from(data, path)) if source is None else source
    return Unit(path, co, text, HOST_VERSION, options)


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
    plan = plan_of(tuple(rules), unit.version, unit.compiled)
    assert unit.given is not None
    codes, looked_at = plan.find(Overview(unit.given, unit.version))
    found: list[Finding] = []
    for code, around, wanted in looked_at:
        subject = Subject(unit.model_of(code), unit, around=around)
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
            if wanted and holds(rule, subject.version):
                found += run_rule(rule, subject)
    return merged(found)


def merged(findings: Iterable[Finding]) -> list[Finding]:
    """One finding for all objects that have the same fault at the same place."""
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
            sure = "measured" if finding.confidence == "proved" else finding.confidence
            kept.append(replace(finding, nanoseconds=bound, confidence=sure))
    return tuple(kept)
