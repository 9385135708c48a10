"""Each family of accepted crashes is refused, by one rule, and still kills this interpreter."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from coscope.readers.from_function import HOST_VERSION
from coscope.verifier import verify
from tests.verifier.crashes import families
from tests.verifier.crashes.families import FAMILIES

DEBUG = hasattr(sys, "gettotalrefcount")
HERE = [name for name, family in FAMILIES.items() if HOST_VERSION in family.versions]


@pytest.mark.parametrize("name", HERE)
def test_it_is_refused(name: str) -> None:
    family = FAMILIES[name]

    assert family.rule in {found.rule for found in verify(family.make()).violations}


@pytest.mark.skipif(sys.platform == "emscripten", reason="Pyodide starts no process")
@pytest.mark.parametrize(
    "name", [name for name in HERE if DEBUG or FAMILIES[name].ends != "asserts"]
)
def test_it_still_does_harm(name: str) -> None:
    family = FAMILIES[name]
    command = [sys.executable, "-W", "ignore", str(Path(families.__file__)), name]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60)
    signals = {"hangs": (signal.SIGXCPU, signal.SIGKILL)}

    if family.ends == "wrong":
        assert "wrong" == ended.stdout.strip() or ended.returncode < 0
    elif family.ends == "hangs":
        assert -ended.returncode in signals["hangs"]
    else:
        assert ended.returncode < 0
        assert -ended.returncode not in signals["hangs"]
