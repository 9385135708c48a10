"""The labelled set and the advisories: what must be found, and what must not be a warning."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from textwrap import dedent

import pytest

from coscope.audits.running.engine import audit_file
from coscope.audits.selection import all_rules
from coscope.model import Finding
from tests.audits.dynamic.advisories import ADVISORIES
from tests.audits.dynamic.flow_set import flows, look_alikes

SEED = 20261130
RULES = [rule for rule in all_rules() if rule.aliases]


def _audited(file: Path, text: str) -> Iterable[Finding]:
    file.write_text(text, encoding="utf-8")
    return audit_file(str(file), RULES).findings


def test_95_of_100_flows_are_found_each_with_its_path(tmp_path: Path) -> None:
    cases = list(flows(SEED, 320))
    missed = []
    for case in cases:
        findings = _audited(tmp_path / "case.py", case.text)
        found = [each for each in findings if (each.rule, each.line) == (case.rule, case.line)]
        if not found or len(found[0].flow) < 2:
            missed.append(case.name)

    assert len(cases) >= 300
    assert len(missed) <= 0.05 * len(cases), missed


def test_5_of_100_look_alikes_at_most_are_warnings(tmp_path: Path) -> None:
    cases = list(look_alikes(SEED, 150))
    wrong = [
        case.name
        for case in cases
        if any(each.severity != "info" for each in _audited(tmp_path / "case.py", case.text))
    ]

    assert len(cases) >= 120
    assert len(wrong) <= 0.05 * len(cases), wrong


@pytest.mark.parametrize("name", ADVISORIES, ids=lambda name: name.partition(" ")[0])
def test_advisories_in_minimal_form_are_found(tmp_path: Path, name: str) -> None:
    text = dedent(ADVISORIES[name])
    lines = [n for n, line in enumerate(text.splitlines(), 1) if line.endswith("# here")]

    assert set(lines) <= {each.line for each in _audited(tmp_path / "case.py", text)}
