"""Rule fixtures: plain Python in which comments say what a rule must find, and where.

    f.__code__ = other            # finds DYN104: the code object of a function
    self.n += 1                   # finds PERF301 (3.11-3.13): a store   finds PERF302: another

The text must be part of the finding's message; versions stand in parentheses, as a rule's own
`VERSIONS`. A fixture `dyn104_*.py` is about the rule DYN104: of its findings every one must be
marked, on the line on which it begins. A first line `# versions: 3.12-` says for which versions
the file is meant, `# options: pickle` switches an option on. The fixture of a live rule is
imported.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

from coscope.audits.options import Options
from coscope.audits.running.engine import audit_subjects, audit_unit, unit_of
from coscope.audits.selection import all_rules
from coscope.audits.subject.live import subjects_of
from coscope.model import Finding
from coscope.readers.from_function import HOST_VERSION
from coscope.readers.targets import read_file
from coscope.rules import Rule
from tests.audits.ranges import holds_for

_MARK = re.compile(r"finds ([A-Z]+\d+)(?: \(([^)]*)\))?:((?:(?! finds [A-Z]+\d).)*)")


@dataclass(frozen=True)
class Mark:
    """One thing that a comment of a fixture demands."""

    rule: str
    line: int
    text: str
    versions: str


def marks_of(path: Path) -> list[Mark]:
    """What the comments of a fixture demand."""
    return [
        Mark(rule, number, text.strip(), versions or "")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if "#" in line
        for rule, versions, text in _MARK.findall(line.rpartition("# ")[2])
    ]


def head(path: Path, key: str) -> str:
    """What a comment at the top of a fixture says: `# versions: 3.12-`; "" if it does not."""
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            break
        name, _, value = line[1:].partition(":")
        if name.strip() == key:
            return value.strip()
    return ""


def rule_of(path: Path) -> str:
    """The code of the rule that a fixture is about."""
    return path.stem.split("_")[0].upper()


def unmet(
    path: Path, version: str, python: str | None, options: Options | None = None
) -> list[str]:
    """How the findings of a static rule differ from the marks; [] if they do not."""
    rules = [rule for rule in all_rules() if rule.code == rule_of(path)]
    unit = unit_of(read_file(str(path), python=python), str(path), options)
    return _differences(path, version, audit_unit(unit, rules).findings)


def unmet_live(path: Path, options: Options | None = None) -> list[str]:
    """The same of a live rule: the fixture is imported by this interpreter."""
    rules = [rule for rule in all_rules() if rule.code == rule_of(path)]
    name = f"fixture_{path.stem}"
    if head(path, "options"):
        options = replace(options or Options(), **{head(path, "options"): True})
    return _differences(path, HOST_VERSION, _live(path, name, rules, options))


def _live(path: Path, name: str, rules: Sequence[Rule], options: Options | None) -> list[Finding]:
    spec = spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[name] = module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
        return audit_subjects(subjects_of(name, options), rules)
    finally:
        del sys.modules[name]


def _differences(path: Path, version: str, findings: Sequence[Finding]) -> list[str]:
    wanted = [
        mark
        for mark in marks_of(path)
        if mark.rule == rule_of(path) and holds_for(mark.versions, version)
    ]
    left = list(findings)
    return list(_unmatched(wanted, left, version))


def _unmatched(wanted: list[Mark], left: list[Finding], version: str) -> Iterator[str]:
    for mark in wanted:
        found = next(
            (each for each in left if each.line == mark.line and mark.text in each.message), None
        )
        if found is None:
            yield f"{version}: line {mark.line}: not found: {mark.rule}: {mark.text}"
        else:
            left.remove(found)
    for each in left:
        yield f"{version}: line {each.line}: not marked: {each.rule}: {each.message}"


@cache
def fixtures(folder: Path) -> tuple[Path, ...]:
    """The fixtures of a folder, and of those inside it."""
    return tuple(sorted(folder.rglob("[a-z]*[0-9]*_*.py")))
