"""A short run of `tools/fuzz_pyc.py`; the long one is by hand, see docs/measurements.md."""

from __future__ import annotations

import sys

import pytest

from coscope.readers.from_interpreter import installed
from tools.fuzz_pyc import damaged, genuine_files, look_at_everything, run

SEED = 1


@pytest.fixture(scope="module")
def files() -> list[bytes]:
    if sys.platform == "emscripten":
        pytest.skip("needs interpreters to start")
    return [file for each in installed() for file in genuine_files(each.path, SEED, 10)]


def test_genuine_files_meet_no_error(files: list[bytes]) -> None:
    met = {what for file in files for what in look_at_everything(file)}

    assert {"read"} == met


def test_damaged_files_meet_only_our_errors(files: list[bytes]) -> None:
    outcome = run(files, SEED, range(2000))
    del outcome.faults["slow"]  # a matter of the machine; the long run holds it

    assert [] == list(outcome.faults), outcome.examples
    assert {"read", "MarshalError", "Truncated", "LimitExceeded"} <= set(outcome.met)


def test_damage_can_be_repeated(files: list[bytes]) -> None:
    assert damaged(files, SEED, 7) == damaged(files, SEED, 7)
    assert damaged(files, SEED, 7) != damaged(files, SEED, 8)
