"""What type checkers make of a user's file: revealed types, and errors where there are some."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

# Line by line; what stands behind `# mypy:` and `# pyright:` is what is revealed or reported.
USER = """\
from collections.abc import Callable
import coscope
from coscope import vrify  # error

def load(path: str, *, limit: int = 3) -> list[str]:
    return [path] * limit

class Store:
    def get(self, key: str) -> bytes:
        return key.encode()

reveal_type(coscope.patch(load, defaults={"limit": 5}))  # load
reveal_type(coscope.patch(Store().get, constants={1: 2}))  # get
reveal_type(coscope.freeze(load, LIMIT=3))  # load
reveal_type(coscope.freeze("len")(load))  # load
reveal_type(coscope.edit(load).on_entry(print).build())  # load
reveal_type(coscope.edit(load).constant(1, 2))  # editor
with coscope.patched(load, constants={"a": "b"}) as receipt:
    reveal_type(receipt)  # receipt

@coscope.patched(load, defaults={"limit": 1})
def test(count: int) -> None: ...

reveal_type(test)  # test
reveal_type(coscope.verify(load))  # report
reveal_type(coscope.read(load))  # function
reveal_type(coscope.show(load))  # card
reveal_type(coscope.fingerprint(load).value)  # str
reveal_type(coscope.read(load).code.instructions[0].opname)  # str
reveal_type(coscope.call(load, "x", limit=2).accepted)  # bool
coscope.patch(load, constant={1: 2})  # error
coscope.patch(load, names={"a": 3})  # error
coscope.verfy(load)  # error
coscope.read(load).cod  # error
"""

REVEALED = {
    "mypy": {
        "load": "def (path: str, *, limit: int =) -> list[str]",
        "get": "def (key: str) -> bytes",
        "editor": "Editor[def (path: str, *, limit: int =) -> list[str]]",
        "test": "def (count: int)",
    },
    "pyright": {
        "load": "(path: str, *, limit: int = 3) -> list[str]",
        "get": "(key: str) -> bytes",
        "editor": "Editor[(path: str, *, limit: int = 3) -> list[str]]",
        "test": "(count: int) -> None",
    },
}
SHORT = {"receipt": "Receipt", "report": "Report", "function": "Function", "card": "Card"}


def _command(checker: str, file: Path) -> list[str]:
    if checker == "mypy":
        return [sys.executable, "-m", "mypy", "--strict", "--cache-dir", os.devnull, str(file)]
    return [sys.executable, "-m", "pyright", "--pythonpath", sys.executable, str(file)]


@cache
def said(checker: str) -> dict[int, str]:
    """What a checker says by line: "error", or the revealed type without the names of modules."""
    if importlib.util.find_spec(checker) is None:
        pytest.skip(f"{checker} is not installed here; `pip install -e .[dev]` brings it")
    with TemporaryDirectory() as folder:
        file = Path(folder) / "user.py"
        file.write_text(USER, encoding="utf-8")
        run = subprocess.run(
            _command(checker, file), capture_output=True, text=True, timeout=300, cwd=folder
        )
    found: dict[int, str] = {}
    for line in run.stdout.splitlines():
        told = re.search(r"user\.py:(\d+):(?:\d+)? ?-? ?(error|note|information)\S*:? (.*)", line)
        if told is None:
            continue
        number, kind, text = int(told[1]), told[2], told[3]
        shown = re.search(r'(?:Revealed type is|Type of .* is) "(.*)"', text)
        if shown is not None:
            found[number] = re.sub(r"\b[a-z_.]+\.(?=[A-Za-z])", "", shown[1])
        elif kind == "error":
            found[number] = "error"
    assert found, run.stdout + run.stderr
    return found


def wanted(checker: str) -> dict[int, str]:
    """The same as it should be, from the comments in the file."""
    words = {
        at: line.rpartition("# ")[2] for at, line in enumerate(USER.splitlines(), 1) if "# " in line
    }
    return {at: REVEALED[checker].get(word) or SHORT.get(word, word) for at, word in words.items()}


@pytest.mark.parametrize("checker", ["mypy", "pyright"])
def test_a_checker_reveals_the_right_types_and_finds_the_errors(checker: str) -> None:
    assert wanted(checker) == said(checker)
