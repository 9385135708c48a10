"""How sure a finding is: what a class of another file decides is likely, whatever a clock says."""

from __future__ import annotations

from pathlib import Path

import pytest

from coscope.audits.options import Options
from coscope.audits.running.engine import audit_unit, unit_of, with_bounds
from coscope.audits.selection import all_rules
from coscope.model import Finding
from coscope.readers.targets import read_file
from tests import interpreters

DEFAULT = """\
{base}
class Settings(Base):
    rate = None
    def __init__(self):
        self.rate = 1
    def total(self, n):
        out = 0
        for _ in range(n):
            out += self.rate
        return out
"""


def _found(source: str, rule: str, version: str, folder: Path) -> list[Finding]:
    path = folder / "made.py"
    path.write_text(source, encoding="utf-8")
    rules = [each for each in all_rules() if each.code == rule]
    unit = unit_of(read_file(str(path), python=str(interpreters.require(version))), str(path))
    return list(audit_unit(unit, rules).findings)


@pytest.mark.parametrize(
    ("base", "severity", "confidence"),
    [
        ("class Base: pass", "warning", "proved"),
        ("from elsewhere import Base", "info", "likely"),
        ("from elsewhere import Other\nclass Base(Other): pass", "info", "likely"),
    ],
)
def test_what_a_base_of_another_file_decides_is_likely(
    base: str, severity: str, confidence: str, tmp_path: Path
) -> None:
    found = _found(DEFAULT.format(base=base), "PERF208", "3.12", tmp_path)

    assert [(severity, confidence)] == [(each.severity, each.confidence) for each in found]


@pytest.mark.parametrize("confidence", ["proved", "likely"])
def test_a_clock_makes_nothing_surer(confidence: str) -> None:
    rule = next(each for each in all_rules() if each.code == "PERF307")
    finding = Finding("PERF307", "text", "info", "f", confidence=confidence, version="3.0")
    made = with_bounds([finding], [_measuring(rule, 50.0)], Options())

    assert [("measured" if confidence == "proved" else "likely", 50.0)] == [
        (each.confidence, each.nanoseconds) for each in made
    ]


def _measuring(rule, nanoseconds):  # type: ignore[no-untyped-def]
    from dataclasses import replace

    return replace(rule, lower_bound=lambda version: nanoseconds)
