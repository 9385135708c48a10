"""Every fixture, for every version: what is marked is found, and nothing else."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from coscope.audits.selection import all_rules
from coscope.readers.from_function import HOST_VERSION
from coscope.rules import Rule
from tests import interpreters
from tests.audits.marking import fixtures, head, marks_of, rule_of, unmet, unmet_live
from tests.audits.ranges import holds_for

FOLDER = Path(__file__).parent / "fixtures"
FIXTURES = tuple(
    file for name in ("closure", "dynamic", "signature") for file in fixtures(FOLDER / name)
)
# Rules about compiled files have tests of their own, those of PERF theirs.
RULES = {
    rule.code: rule
    for rule in all_rules()
    if not rule.compiled and not rule.code.startswith("PERF")
}


def _static() -> list[tuple[Path, str]]:
    return [
        (path, version)
        for path in FIXTURES
        if rule_of(path) in RULES and not RULES[rule_of(path)].live
        for version in interpreters.VERSIONS
        if holds_for(head(path, "versions"), version)
    ]


@pytest.mark.parametrize(
    ("path", "version"), _static(), ids=lambda each: getattr(each, "stem", each)
)
def test_static_rules_find_what_is_marked(path: Path, version: str) -> None:
    python = None if version == HOST_VERSION else str(interpreters.require(version))

    assert [] == unmet(path, version, python)


@pytest.mark.parametrize(
    "path",
    [path for path in FIXTURES if rule_of(path) in RULES and RULES[rule_of(path)].live],
    ids=lambda path: path.stem,
)
def test_live_rules_find_what_is_marked(path: Path) -> None:
    if not holds_for(head(path, "versions"), HOST_VERSION):
        pytest.skip(f"not for {HOST_VERSION}")

    assert [] == unmet_live(path)


def test_each_rule_has_a_fixture_that_it_finds_something_in() -> None:
    marked = {mark.rule for path in FIXTURES for mark in marks_of(path)}

    assert set(RULES) == marked & set(RULES)
    assert set(RULES) == {rule_of(path) for path in FIXTURES} & set(RULES)


def test_each_fixture_is_about_a_rule() -> None:
    assert set() == {rule_of(path) for path in FIXTURES} - {rule.code for rule in all_rules()}


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.code)
def test_a_rule_s_file_is_named_by_its_code(rule: Rule) -> None:
    name = sys.modules[rule.module].__name__.rpartition(".")[2]

    assert rule.code.lower() == name.split("_")[0]
