"""Seeded samples of every standard library; `tools/differential.py --all` takes all of them.

Each file is compiled by the interpreter of its version, described there by its own `dis`, and read
here from the .pyc: instructions, operands, jump targets, lines and columns, exception regions and
every field of the code objects must be equal; the stack must not need more than was declared; what
was decoded must encode to the same bytes.
"""

from __future__ import annotations

import sys

import pytest

from tests import interpreters

# The harness starts other processes; inside Pyodide there are none.
pytestmark = pytest.mark.skipif(sys.platform == "emscripten", reason="Pyodide starts no process")
differential = pytest.importorskip("differential")

FILES = 40
SEED = 20261121


def _request(**options: object) -> object:
    return differential.Request(**{"sample": FILES, "seed": SEED, "jobs": 1, **options})


def _problems(result: object) -> list[str]:
    examples = result.tally.examples  # type: ignore[attr-defined]
    found = [f"{kind}: {path}: {what}" for kind in examples for path, what in examples[kind]]
    return found + result.details  # type: ignore[attr-defined]


@pytest.mark.parametrize("version", interpreters.VERSIONS)
def test_pyc_of_a_native_interpreter(version: str) -> None:
    interpreters.require(version)

    result = differential.compare_pyc(version, _request())

    assert [] == _problems(result)
    assert result.tally.counts["code objects"] > FILES


@pytest.mark.parametrize("version", interpreters.PYODIDES)
def test_pyc_of_an_interpreter_inside_pyodide(
    version: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = interpreters.require_pyodide(version)
    monkeypatch.setenv(f"COSCOPE_PYODIDE_{version.replace('.', '')}", str(folder))

    result = differential.compare_pyc(f"pyodide-{version}", _request())

    assert [] == _problems(result)
    assert result.tally.counts["code objects"] > FILES


@pytest.mark.parametrize("optimize", [1, 2])
def test_pyc_of_optimized_code(optimize: int) -> None:
    interpreters.require("3.13")

    result = differential.compare_pyc("3.13", _request(sample=10, optimize=optimize))

    assert [] == _problems(result)


def test_live_code_of_this_host() -> None:
    result = differential.compare_live(_request())

    assert [] == _problems(result)
    assert 10 * FILES == result.tally.counts["of them executed in this process"]


def test_the_harness_sees_a_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    import comparison

    def flawed(code: object) -> tuple[list[object], ...]:
        fields, rows, *rest = honest(code)
        return fields, [("offset", *row[1:]) for row in rows], *rest

    honest = comparison.probe.facts
    monkeypatch.setattr(comparison.probe, "facts", flawed)
    result = differential.compare_live(_request(sample=2))

    assert not result.ok
    assert {"instructions"} == set(result.tally.mismatches)
