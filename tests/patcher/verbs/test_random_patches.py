"""No patch, sound or not, ends the interpreter. `tools/random_patches.py` runs 20,000 by hand."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

TOOL = Path(__file__).resolve().parents[3] / "tools" / "random_patches.py"


@pytest.mark.parametrize("seed", [1, 7_000])
def test_random_patches_do_not_crash(seed: int) -> None:
    command = [sys.executable, str(TOOL), "--count=150", "--batch=150", f"--seed={seed}"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=300)

    assert 0 == run.returncode, run.stdout + run.stderr
    assert "150 sequences" in run.stdout
