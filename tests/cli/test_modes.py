"""The commands under the modes of Python itself, and under another Python."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform == "emscripten", reason="Pyodide starts no process")

SOURCE = """\
def rate(text):
    "How much."
    assert text, "nothing to read"
    return round(eval(text), 2)
"""
MODES = [["-OO"], ["-O", "-I"], ["-Werror", "-bb", "-Xdev"]]
COMMANDS = [
    "show rates.py::rate",
    "audit rates.py",
    "verify rates.py",
    "rule PERF002",
    "fingerprint rates.py::rate",
    "patch rates.py --at rate --constant 2=3 -o rates.pyc --force",
]


def _run(folder: Path, command: str, *modes: str) -> tuple[int, str, str]:
    words = [sys.executable, *modes, "-m", "coscope", *command.split()]
    run = subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=120)
    return run.returncode, run.stdout, run.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_says_the_same_in_every_mode(command: str, tmp_path: Path) -> None:
    (tmp_path / "rates.py").write_text(SOURCE)
    plain = _run(tmp_path, command)

    assert [plain] * len(MODES) == [_run(tmp_path, command, *mode) for mode in MODES]
    assert plain[0] in (0, 1)


def test_audit_finds_something_in_the_example(tmp_path: Path) -> None:
    (tmp_path / "rates.py").write_text(SOURCE)
    status, output, _ = _run(tmp_path, "audit rates.py", "-OO")

    assert (1, True) == (status, "DYN101" in output)


AS_PYPY = "import sys; sys.implementation.name = 'pypy'; "


@pytest.mark.parametrize(
    "program",
    ["from coscope.cli import main; main()", "import coscope; coscope.read(print)"],
    ids=["command", "library"],
)
def test_another_python_is_refused_in_one_sentence(program: str) -> None:
    words = [sys.executable, "-c", AS_PYPY + program, "show", "json:dumps"]
    run = subprocess.run(words, capture_output=True, text=True, timeout=60)

    assert "coscope runs on CPython alone" in run.stderr
    assert "AttributeError" not in run.stderr
    assert "" == run.stdout


def test_the_command_line_ends_with_status_2_under_another_python() -> None:
    words = [sys.executable, "-c", AS_PYPY + "from coscope.cli import main; main()", "show", "x"]
    run = subprocess.run(words, capture_output=True, text=True, timeout=60)

    assert (2, False) == (run.returncode, "Traceback" in run.stderr)
