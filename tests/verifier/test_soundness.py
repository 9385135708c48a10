"""No mutant that the verifier accepts kills the interpreter: a bounded run of tools/mutants.py.

The whole run is by hand; see the head of that file.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

if sys.platform == "emscripten":
    pytest.skip("Pyodide starts no process", allow_module_level=True)

from coscope.verifier import verify
from mutation import batch, corpus
from mutation.judge import Judge
from mutation.mutate import ALL, Mutant, mutant
from mutation.pool import Pool

TOOL = Path(__file__).resolve().parents[2] / "tools" / "mutants.py"
COUNT = 4_000
SEED = 4


def _run(tmp_path: Path, *options: str) -> dict[str, Any]:
    report = tmp_path / "report.json"
    command = [sys.executable, str(TOOL), "--json", str(report), *options]
    subprocess.run(command, check=False, capture_output=True, timeout=900)
    found: dict[str, Any] = json.loads(report.read_text())
    return found


def _total(report: dict[str, Any], column: str) -> int:
    return sum(counts.get(column, 0) for counts in report["kinds"].values())


@pytest.fixture(scope="module")
def pool() -> Pool:
    return Pool(corpus.load())


def test_no_accepted_mutant_crashes(tmp_path: Path) -> None:
    report = _run(tmp_path, "--count", str(COUNT), "--seed", str(SEED))

    assert [] == report["found"]
    assert COUNT == _total(report, "mutants")
    assert 0.05 < _total(report, "accepted") / COUNT < 0.5  # else the run proves little


@pytest.mark.parametrize("rule", ["VER401", "VER406"])
def test_without_a_check_the_harness_finds_crashes(tmp_path: Path, rule: str) -> None:
    report = _run(tmp_path, "--count", "400", "--seed", str(SEED), "--without", rule)

    assert report["found"]


def test_genuine_functions_are_accepted_and_run(pool: Pool) -> None:
    controls = [
        Mutant(index, "control", (), unit, unit.parts[0], unit.code)
        for index, unit in enumerate(pool.units)
    ]

    assert [] == [unit.name for unit in pool.units if not verify(unit.code).ok]
    assert {batch.RAN} == {outcome.status for outcome in batch.run_all(controls)}


def test_there_are_enough_kinds_and_functions(pool: Pool) -> None:
    assert len(ALL) >= 20
    assert len(pool.units) >= 80


def test_every_opcode_that_a_compiler_emits_often_is_in_the_corpus(pool: Pool) -> None:
    rows = pool.rules.by_code
    present = {op.opcode for _, part in pool.parts for op in part.body.ops}
    emitted = [row for row in rows if row is not None and row.form == "base"]

    assert len(present) > 0.8 * len(emitted)


def test_a_mutant_is_the_same_at_every_run(pool: Pool) -> None:
    again = Pool(corpus.load())

    for index in range(200):
        assert mutant(pool, SEED, index).code == mutant(again, SEED, index).code


def test_the_judge_says_what_verify_says(pool: Pool) -> None:
    judge = Judge([code for unit in pool.units for code in unit.code.walk()])

    for index in range(400):
        code = mutant(pool, SEED, index).code
        assert verify(code).ok == (judge.refused(code) is None)


def test_every_part_is_laid_out_as_it_was(pool: Pool) -> None:
    for _, part in pool.parts:
        again = part.body.laid_out()

        assert part.code.code == again.code
        assert part.code.exceptiontable == again.exceptiontable
