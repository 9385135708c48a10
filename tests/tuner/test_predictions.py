"""Predictions: how often, times what an operation loses at most."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from coscope.audits.calibration import Pair
from coscope.audits.running.engine import audit_unit, unit_of
from coscope.audits.selection import all_rules
from coscope.readers.from_function import HOST_VERSION
from coscope.readers.targets import read_file
from coscope.tuner import predictions
from coscope.tuner.trial import Cost

SOURCE = """\
def f(names, rows):
    found = 0
    for name in names:
        found += name in ("a", "b", "c", "d", "e", "f", "g", "h", "i")
    for row in rows: found += row in ("a", "b", "c", "d", "e", "f", "g", "h", "j")
    return found

class Box:
    size = 0
    def __init__(self):
        self.size = 1
    def fill(self, n):
        for _ in range(n):
            self.size = self.size + self.size
"""


class _Processes:
    """Answers that each round of a calibration differs by so and so many nanoseconds."""

    interpreter = None

    def __init__(self, *differences: float) -> None:
        self.differences = [*differences] * (15 // len(differences))
        self.asked: dict[str, Any] = {}

    def ask(self, what: str, pairs: dict[str, Any]) -> dict[str, Any]:
        assert what == "calibrate"
        self.asked |= pairs
        return {"differences": dict.fromkeys(pairs, self.differences)}


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "box.py"
    path.write_text(SOURCE)
    return str(path)


def _proposed(file: str, name: str, lines: dict[int, int], *differences: float) -> Any:
    processes: Any = _Processes(*differences)
    return predictions.proposals(processes, file, name, lines, Cost(10_000.0, 1, 1.0))


def test_a_prediction_is_the_number_of_times_by_the_upper_bound(file: str) -> None:
    (first, second), minor = _proposed(file, "f", {4: 50, 5: 10}, 60.0, 70.0, 80.0)

    assert (50, 80.0, 0.4) == (first.times, first.nanoseconds, first.share)
    assert (10, 80.0, 0.08) == (second.times, second.nanoseconds, second.share)
    assert 0 == minor


def test_what_cannot_gain_5_percent_is_only_counted(file: str) -> None:
    (only,), minor = _proposed(file, "f", {4: 50, 5: 6}, 80.0)

    assert (4, 1) == (only.finding.line, minor)


def test_what_cannot_gain_3_nanoseconds_is_only_counted(file: str) -> None:
    assert ((), 2) == _proposed(file, "f", {4: 5000, 5: 5000}, 2.9)


def test_other_functions_have_other_findings(file: str) -> None:
    assert ((), 0) == _proposed(file, "g", {4: 50}, 80.0)


def test_a_name_counts_wherever_the_code_uses_it(file: str) -> None:
    rules = [rule for rule in all_rules() if rule.code == "PERF208"]
    unit = unit_of(read_file(file), file)
    found = audit_unit(unit, rules).findings
    if HOST_VERSION not in ("3.12", "3.13"):
        assert () == tuple(found)
        return
    (finding,) = found

    assert 3 * 7 == predictions.operations(unit, finding, {14: 7})


def test_the_dearest_operation_bounds_those_of_its_rule() -> None:
    processes: Any = _Processes(10.0, 20.0, 30.0)
    bounds = predictions.upper_bounds({"PERF208"}, all_rules(), processes)

    assert {"PERF208": 30.0} == bounds
    assert Pair(**processes.asked["PERF208"]).slow == "o.x = 1"
