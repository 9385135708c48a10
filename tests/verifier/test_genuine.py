"""What a compiler has written is never rejected: samples of what `tools/verify_corpus.py` takes."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from coscope.readers.from_function import HOST_VERSION, from_code_object
from coscope.verifier import verify
from tests.verifier.building import changed

# The harness starts other processes; inside Pyodide there are none.
pytestmark = pytest.mark.skipif(sys.platform == "emscripten", reason="Pyodide starts no process")
verify_corpus = pytest.importorskip("verify_corpus")

SEED = 20261121
FILES = 120
LEVEL = pytest.mark.parametrize("level", verify_corpus.LEVELS)


def tally(**options: object) -> object:
    """What came out of a sample."""
    plain = {"version": HOST_VERSION, "name": "library", "root": None, "level": 0, "jobs": 1}
    return verify_corpus.measure(
        verify_corpus.Corpus(**{**plain, "sample": FILES, "seed": SEED, **options})
    )


def check(counted: object, files: int) -> None:
    assert [] == counted.violations  # type: ignore[attr-defined]
    assert 0 == counted.rejected  # type: ignore[attr-defined]
    assert counted.codes > 5 * files  # type: ignore[attr-defined]


@LEVEL
def test_a_sample_of_this_host_s_library(level: int) -> None:
    # Another sample at each level.
    check(tally(level=level, seed=SEED + level), FILES)


def test_a_sample_of_the_packages_that_run_these_tests() -> None:
    check(tally(name="packages", root=str(Path(pytest.__file__).parent.parent)), FILES)


@pytest.mark.exhaustive
@LEVEL
def test_the_whole_library_of_this_host(level: int) -> None:
    check(tally(level=level, sample=None), 1_000)


def test_a_violation_is_counted_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def with_a_small_stack(compiled: object) -> object:
        return changed(from_code_object(compiled), stacksize=0)  # type: ignore[arg-type]

    monkeypatch.setattr(verify_corpus, "from_code_object", with_a_small_stack)
    counted = tally(sample=3)

    assert 3 == counted.rejected  # type: ignore[attr-defined]
    assert all("VER303" in text for text in counted.violations)  # type: ignore[attr-defined]
    assert not counted.ok  # type: ignore[attr-defined]


@pytest.mark.skipif(HOST_VERSION == "3.11", reason="comprehensions are inlined from 3.12 on")
def test_a_comprehension_that_puts_a_cell_away_inside_a_handler_is_accepted() -> None:
    """Only a trace function can raise while the cell is away; SymPy has such a function."""
    source = """
def f(items):
    for r in items:
        use = lambda: r
        try:
            found = [r for r in use()]
        except ValueError:
            found = []
        for r in found:
            use()
"""
    report = verify(from_code_object(compile(source, "source.py", "exec")))

    assert [] == list(map(str, report.violations))
