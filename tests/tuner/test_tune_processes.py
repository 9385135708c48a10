"""`tune` in processes of its own, of several versions, by a clock that the functions move."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from coscope.errors import InputError, InterpreterError
from coscope.tuner import Clocks, Trial, measurements, tune
from tests import interpreters

pytestmark = pytest.mark.skipif(
    sys.platform == "emscripten", reason="tune starts processes, and Pyodide has none"
)

FOLDER = Path(__file__).parent
CLOCKS = Clocks("ticking:now", "ticking:now")


@pytest.fixture(autouse=True)
def _few_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(FOLDER)
    monkeypatch.setenv("PYTHONPATH", str(FOLDER))
    monkeypatch.setattr(measurements, "PROCESSES", 2)


def _tune(version: str, target: str = "ticking:search", **given: Any) -> Trial:
    python = sys.executable if version == "host" else str(interpreters.require(version))
    return tune(target, rounds=2, clocks=CLOCKS, python=python, **given)


@pytest.mark.parametrize("version", ["3.8", "3.9", "3.10", "host"])
def test_what_wins_is_kept_on_every_version(version: str) -> None:
    trial = _tune(version, call="search(WORDS)")
    (change,) = trial.kept
    assert change.gain is not None

    assert ("PERF311", True) == (change.rule, change.same)
    assert pytest.approx(22 / 6, rel=0.01) == change.gain.ratio
    assert (1.0, 0.02) == (pytest.approx(change.gain.null), pytest.approx(change.gain.threshold))
    assert trial.diff is not None
    assert '+        found += word in {"a", "b"' in trial.diff


@pytest.mark.parametrize("version", ["3.8", "host"])
def test_a_command_gives_each_form_its_turn(version: str) -> None:
    trial = _tune(version, test="python ticking.py")
    (change,) = trial.kept
    assert change.gain is not None

    assert (7, 2) == (trial.cost.calls, trial.rounds)
    # Of 0 to 6 pairs of words; 5 us each time, and 17 us for each pair, or 1 us.
    assert pytest.approx((35 + 21 * 17) / (35 + 21)) == change.gain.ratio
    assert "2 rounds of 3 runs" in str(trial)


def test_a_form_with_which_the_command_fails_is_refused() -> None:
    (change,) = _tune("host", target="ticking:unhashable", test="python ticking.py").changes

    assert "with it the command fails: exit status 1" == change.refused


@pytest.mark.parametrize(
    ("target", "command", "told"),
    [
        ("quick", "python -c 1/0", "ZeroDivisionError"),
        ("quick", "python -c 1", "does not run ticking:quick"),
        ("quick", "", "command is empty"),
        ("quick", "no-such-command", "cannot be started"),
        ("series", "python ticking.py", "does not run ticking:series"),
    ],
)
def test_a_command_that_cannot_be_measured_is_an_error(
    target: str, command: str, told: str
) -> None:
    with pytest.raises(InputError, match=told):
        _tune("host", f"ticking:{target}", test=command)


@pytest.mark.parametrize("version", ["3.999", "no-such-python"])
def test_a_missing_interpreter_is_told(version: str) -> None:
    with pytest.raises(InterpreterError):
        tune("ticking:quick", "quick('ab')", python=version)


def test_output_and_errors_of_the_user_are_no_answer() -> None:
    trial = _tune("host", "ticking:loud", call="loud(7)")

    assert () == trial.changes
    with pytest.raises(InputError, match="SystemExit: 3"):
        _tune("host", "ticking:leaves", call="leaves()")
