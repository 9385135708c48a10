"""What CLO106 and CLO108 call proved, against programs that real interpreters run."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import closure_programs
from tests import interpreters

pytestmark = pytest.mark.skipif(sys.platform == "emscripten", reason="Pyodide starts no process")


@pytest.mark.parametrize("version", ["3.11", "3.13", "3.14"])
def test_no_run_contradicts_a_proof(version: str, tmp_path: Path) -> None:
    interpreters.require(version)
    tested, contradicted = closure_programs.wrong(tmp_path, range(600, 660), version)

    assert tested > 5
    assert [] == contradicted
