"""`tune` on the whole functions of the evidence table: the sign of each, on each version."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from coscope.errors import InputError
from coscope.tuner import Trial, tune
from tests import interpreters

FOLDER = Path(__file__).parent
HOISTS = "v = list(range(-50, 50))"
# before, after, call, setup, versions in which it pays
WHOLE = [
    ("classic", "classic_hoisted", "classic(v)", HOISTS, ("3.8", "3.10")),
    (
        "fields_with_defaults",
        "fields_without_defaults",
        "fields_with_defaults(100)",
        "",
        ("3.10", "3.12", "3.13"),  # 3.10: see docs/commands/tune.md
    ),
    ("class_counter", "list_counter", "class_counter(100)", "", ("3.11", "3.12", "3.13")),
    ("kinds", "kinds_concrete", "kinds(v)", "v = [1, 'a', 2.0] * 30", interpreters.NATIVE),
    ("keyworded", "positional", "keyworded(100)", "", interpreters.NATIVE),
]
VERSIONS = ("3.8", "3.10", "3.11", "3.12", "3.13")


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(FOLDER)


def _trial(before: str, version: str, call: str, setup: str = "", **given: str) -> Trial:
    python = str(interpreters.require(version))
    return tune(f"whole:{before}", call, setup=setup, python=python, rounds=40, **given)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(("before", "after", "call", "setup", "pays"), WHOLE)
def test_the_sign_is_that_of_the_evidence(
    before: str, after: str, call: str, setup: str, pays: tuple[str, ...], version: str
) -> None:
    trial = _trial(before, version, call, setup, against=f"whole:{after}")
    (change,) = trial.changes
    assert change.gain is not None

    if version in pays:
        assert change.gain.ratio > 1.08, change.gain
    elif before == "class_counter":
        assert change.gain.ratio > 0.9
    else:
        assert change.gain.ratio < 1.08, change.gain


@pytest.mark.parametrize("version", ["3.12", "3.13"])
def test_defaults_cost_more_than_half_of_the_time(version: str) -> None:
    trial = _trial(*WHOLE[1][:1], version, WHOLE[1][2], against=f"whole:{WHOLE[1][1]}")
    (change,) = trial.changes

    assert change.verified
    assert change.gain is not None
    assert change.gain.ratio > 2


def test_a_change_of_its_own_is_verified_and_shown() -> None:
    trial = _trial("words", "3.13", "words(v)", "v = ['if', 'zzz'] * 50")

    assert trial.best is not None
    assert trial.best.rule == "PERF311"
    assert trial.best.source is not None
    assert "{'if'" in trial.best.source
    (proposal,) = trial.proposals
    assert (100, "PERF311") == (proposal.times, proposal.finding.rule)
    assert "worth it" in str(trial)


def test_no_hoist_is_made_from_3_11_on_and_none_is_worth_it() -> None:
    trial = _trial("classic", "3.13", "classic(v)", HOISTS)

    assert () == trial.changes
    assert "no change is worth it" in str(trial)


def test_the_hoist_is_made_to_3_10() -> None:
    trial = _trial("classic", "3.8", "classic(v)", HOISTS)

    assert ["PERF101"] == [change.rule for change in trial.changes]
    assert trial.changes[0].gain is not None
    assert trial.changes[0].gain.ratio > 1


@pytest.mark.parametrize(
    ("target", "call", "against"),
    [
        ("whole", "classic([])", None),
        ("whole:nothing", "classic([])", None),
        ("whole:classic", "classic(", None),
        ("whole:classic", "classic(7)", None),
        ("whole:classic", "classic([])", "whole:nothing"),
        ("whole:classic", "classic([1])", "whole:kinds"),
        ("whole:math", "math", None),
    ],
)
def test_bad_input_is_one_clear_error(target: str, call: str, against: str | None) -> None:
    with pytest.raises(InputError):
        tune(target, call, against=against, rounds=20)


def test_the_command_says_by_its_status_whether_it_is_worth_it() -> None:
    command = [sys.executable, "-m", "coscope", "tune", "--rounds", "20"]
    texts = [
        [*command, "whole:words", "--call", "words(v)", "--setup", "v = ['zzz'] * 99"],
        [*command, "whole:classic", "--call", "classic(v)", "--setup", HOISTS],
        [*command, "whole:nothing", "--call", "1"],
    ]
    environment = {**os.environ, "NO_COLOR": "1"}
    found = [
        subprocess.run(each, capture_output=True, env=environment, check=False).returncode
        for each in texts
    ]

    assert [0, 1, 2] == found
