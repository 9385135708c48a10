"""Every pair of dangerous instructions on this interpreter: what is accepted kills nothing."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

if sys.platform == "emscripten":
    pytest.skip("Pyodide starts no process", allow_module_level=True)

TOOL = Path(__file__).resolve().parents[2] / "tools" / "exhaustive.py"


def test_no_accepted_pair_kills() -> None:
    command = [sys.executable, "-W", "ignore", str(TOOL), "--length", "2"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=300)
    counts = {
        what: int(number.replace(",", ""))
        for what, number in re.findall(r"^([a-z ]+[a-z]) ([\d,]+)", ended.stdout, re.MULTILINE)
    }

    assert 0 == ended.returncode, ended.stdout + ended.stderr
    assert 0 == counts["accepted and crashed"]
    assert counts["accepted"] > 10  # it is not sound by refusing all
    assert counts["refused and crashed"] > 10  # and what it refuses does harm
