"""A target that replaced functions of the standard library when it was imported."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("click")
pytestmark = pytest.mark.skipif(sys.platform == "emscripten", reason="starts processes")

# Each is replaced by a function that raises: what code under test, tracers and libraries replace.
REPLACED = (
    *("json.dumps", "json.loads", "json.JSONEncoder", "json.encoder.JSONEncoder", "re.sub"),
    *("re.fullmatch", "os.path.exists", "hashlib.sha256", "textwrap.wrap"),
    *("inspect.signature", "difflib.get_close_matches", "pickle.dumps"),
    *("marshal.dumps", "copy.copy", "shutil.get_terminal_size"),
    *("unicodedata.east_asian_width", "time.perf_counter", "builtins.print"),
)

TARGET = f"""
import ast, builtins, copy, dataclasses, difflib, hashlib, importlib, inspect, json, json.encoder
import linecache, logging, marshal, os, os.path, pickle, re, shutil, sys, textwrap, threading
import time, unicodedata, warnings

def broken(*positional, **named):
    raise RuntimeError("replaced by the target")

def f(x: "int", y=[1]):
    return json, x, y

for name in {REPLACED!r}:
    owner, _, last = name.rpartition(".")
    setattr(sys.modules[owner], last, broken)
"""

COMMANDS = (
    ("show",),
    ("show", "--json"),
    ("depends",),
    ("depends", "--json"),
    ("signature", "--json"),
    ("closure",),
    ("fingerprint",),
)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_command_answers_all_the_same(tmp_path: Path, command: tuple[str, ...]) -> None:
    (tmp_path / "replaces.py").write_text(TARGET)
    done = subprocess.run(
        [sys.executable, "-m", "coscope", *command, "replaces:f"],
        cwd=tmp_path, env={**os.environ, "COLUMNS": "100"},
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip

    assert 0 == done.returncode, done.stderr
