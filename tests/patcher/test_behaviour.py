"""Unit tests of the standard library, run while every module that they import is edited.

A NOP before each instruction moves every jump, region and position; a hook at each entry and exit
adds a handler round every function. The same tests pass as without.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

MODULES = (
    "test.test_textwrap",
    "test.test_contextlib",
    "test.test_generators",
    "test.test_coroutines",
    "test.test_with",
    "test.test_except_star",
    "test.test_named_expressions",
)
SECONDS = 300
MEMORY = 4 << 30  # bytes


def run(edit: str, module: str) -> dict[str, Any]:
    """Run the tests of a module in a process with limits."""
    limited = (
        "import resource, runpy, sys\n"
        f"resource.setrlimit(resource.RLIMIT_AS, ({MEMORY}, {MEMORY}))\n"
        "resource.setrlimit(resource.RLIMIT_CORE, (0, 0))\n"
        f"sys.argv = ['live', {edit!r}, {module!r}]\n"
        "runpy.run_module('tests.patcher.live', run_name='__main__')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", limited], capture_output=True, text=True, timeout=SECONDS
    )
    assert done.returncode == 0, done.stderr[-2000:]
    outcome: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return outcome


@pytest.mark.skipif(sys.platform == "emscripten", reason="Pyodide starts no process")
@pytest.mark.parametrize("module", MODULES)
def test_the_same_tests_pass(module: str) -> None:
    pytest.importorskip(module)
    plain, moved, hooked = (run(edit, module) for edit in ("none", "nops", "calls"))

    assert plain["run"] > 5
    assert (plain["run"], plain["failed"]) == (moved["run"], moved["failed"]), moved["why"]
    assert (plain["run"], plain["failed"]) == (hooked["run"], hooked["failed"]), hooked["why"]
    assert hooked["counted"] > plain["run"]
