"""Code objects without a header, and what a reader warns of, in every verb."""

from __future__ import annotations

import json
import marshal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import coscope
from coscope.cli.group import coscope as command_line
from coscope.errors import PycError, TargetError, UnknownVersion
from coscope.readers.from_function import HOST_VERSION
from tests import interpreters
from tests.codec.marshal_builder import pyc

SOURCE = "def f(x):\n    return x + 1\n"


def run(*words: str) -> Any:
    return CliRunner().invoke(command_line, list(words))


@pytest.fixture
def bare(tmp_path: Path) -> str:
    file = tmp_path / "entry"
    file.write_bytes(marshal.dumps(compile(SOURCE, "entry.py", "exec")))
    return str(file)


def test_code_without_a_header_is_read_as_the_version_that_was_asked(bare: str) -> None:
    function = coscope.read(f"{bare}::f", code_version=HOST_VERSION)

    assert ("f", HOST_VERSION, "pyc") == (
        function.qualname,
        function.code.version,
        function.origin,
    )
    assert "no header" in function.warnings[0]


@pytest.mark.parametrize("command", ["show", "dis", "graph", "verify"])
def test_commands_take_code_without_a_header(bare: str, command: str) -> None:
    assert 0 == run(command, bare, "--code-version", HOST_VERSION).exit_code


def test_of_another_interpreter_too(tmp_path: Path) -> None:
    path = interpreters.require("3.12")
    file = tmp_path / "entry.pyc"
    made = f"marshal.dumps(compile({SOURCE!r}, 'e.py', 'exec'))"
    script = f"import marshal, sys; sys.stdout.buffer.write({made})"
    file.write_bytes(
        subprocess.run([path, "-I", "-c", script], capture_output=True, check=True).stdout
    )
    code = coscope.read(str(file), code_version="3.12").code

    assert ("3.12", ["<module>", "f"]) == (code.version, [each.name for each in code.walk()])


def test_a_file_that_may_be_code_without_a_header_says_so(bare: str, tmp_path: Path) -> None:
    file = tmp_path / "entry.pyc"
    file.write_bytes(Path(bare).read_bytes())
    with pytest.raises(PycError, match="--code-version VERSION"):
        coscope.read(str(file))


def test_no_other_bytes_are_taken_for_code(tmp_path: Path) -> None:
    file = tmp_path / "entry"
    file.write_bytes(marshal.dumps([1, 2]))
    with pytest.raises(PycError):
        coscope.read(str(file), code_version=HOST_VERSION)
    with pytest.raises(UnknownVersion):
        coscope.read(str(file), code_version="2.7")
    with pytest.raises(TargetError):
        coscope.read(len, code_version=HOST_VERSION)


def test_every_verb_repeats_what_the_reader_warns_of(tmp_path: Path) -> None:
    code = marshal.dumps(compile(SOURCE, "other.py", "exec"))
    file = tmp_path / "x.pyc"
    from importlib.util import MAGIC_NUMBER

    file.write_bytes(pyc(code, magic=int.from_bytes(MAGIC_NUMBER[:2], "little")) + b"more")
    path = str(file)
    verified = json.loads(run("verify", path, "--json").stdout)["reports"][0]["warnings"]
    compared = json.loads(run("diff", path, path, "--json").stdout)

    for text in (
        verified[0],
        compared["left"]["warnings"][0],
        compared["right"]["warnings"][0],
        run("verify", path).stdout,
        run("verify", str(tmp_path)).stdout,
        run("diff", path, path).stdout,
        run("audit", path, "--no-cache").stderr,
    ):
        assert "4 bytes after the code object" in " ".join(text.split())


def test_bytes_that_show_in_no_behaviour_are_said() -> None:
    code = coscope.read(test_bytes_that_show_in_no_behaviour_are_said).code
    from dataclasses import replace

    found = coscope.diff(code, replace(code, stacksize=code.stacksize + 1))

    assert ("same behaviour, bytes differ without effect", True) == (found.text, found.same)


@pytest.mark.skipif(sys.platform == "emscripten", reason="Pyodide starts no process")
def test_standard_input_is_read_by_the_process_that_has_it(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "coscope", "verify", "-", "-j", "2", "--json"],
        input=SOURCE,
        capture_output=True,
        encoding="utf-8",
        cwd=tmp_path,
        check=False,
    )

    assert 2 == json.loads(done.stdout)["totals"]["codes"]
