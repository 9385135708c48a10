"""The fixtures of the performance rules, for every version. What runs tell: `test_warm.py`."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from coscope.audits.selection import all_rules, holds
from coscope.readers.from_function import HOST_VERSION
from coscope.rules import Rule
from tests import interpreters
from tests.audits.marking import fixtures, head, marks_of, rule_of, unmet, unmet_live
from tests.audits.ranges import holds_for

FOLDER = Path(__file__).parents[1] / "fixtures" / "performance"
FIXTURES = fixtures(FOLDER)
PERFORMANCE = {rule.code: rule for rule in all_rules() if rule.code.startswith("PERF")}
RULES = {code: rule for code, rule in PERFORMANCE.items() if not rule.warm}


@pytest.mark.parametrize("version", interpreters.VERSIONS)
@pytest.mark.parametrize(
    "path",
    [path for path in FIXTURES if not RULES[rule_of(path)].live],
    ids=lambda path: path.stem,
)
def test_static_rules_find_what_is_marked(path: Path, version: str) -> None:
    if not holds_for(head(path, "versions"), version):
        pytest.skip(f"the fixture is not for {version}")
    python = None if version == HOST_VERSION else str(interpreters.require(version))

    assert [] == unmet(path, version, python)


@pytest.mark.parametrize(
    "path", [path for path in FIXTURES if RULES[rule_of(path)].live], ids=lambda path: path.stem
)
def test_live_rules_find_what_is_marked(path: Path) -> None:
    assert [] == unmet_live(path)


def test_each_rule_has_a_fixture_in_which_it_finds_something() -> None:
    assert set(RULES) == {mark.rule for path in FIXTURES for mark in marks_of(path)}


def test_each_rule_can_be_measured() -> None:
    assert [] == [code for code, rule in PERFORMANCE.items() if rule.lower_bound is None]


@pytest.mark.parametrize("rule", PERFORMANCE.values(), ids=lambda rule: rule.code)
def test_its_micro_benchmark_runs_here_and_for_no_other_version(rule: Rule) -> None:
    assert rule.lower_bound is not None

    bound = rule.lower_bound(HOST_VERSION)

    assert bound is not None
    assert math.isfinite(bound)
    assert rule.lower_bound("3.8") is None


def test_no_classic_hoist_is_told_from_3_11_on() -> None:
    classic = [rule for code, rule in RULES.items() if code.startswith("PERF1")]

    assert classic
    assert not [
        rule.code
        for rule in classic
        for version in ("3.11", "3.12", "3.13", "3.14", "3.15")
        if holds(rule, version)
    ]
