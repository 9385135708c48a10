"""Other interpreters compile for us, and execute nothing."""

from __future__ import annotations

import os
import stat
import sys
from contextlib import closing
from pathlib import Path

import pytest

from coscope.errors import InterpreterError, SourceError
from coscope.opcodes import VERSIONS
from coscope.readers import from_interpreter, read
from coscope.readers.compiling import Compiler
from coscope.readers.from_interpreter import compile_source, find, identify, installed
from tests import interpreters

pytestmark = pytest.mark.skipif(
    sys.platform == "emscripten", reason="Pyodide cannot start a process"
)

SOURCE = b"def outer():\n  x = 1\n  def inner(): return x\n  return inner\n"


def required(version: str) -> from_interpreter.Interpreter:
    return identify(str(interpreters.require(version)))


@pytest.mark.parametrize("version", interpreters.VERSIONS)
def test_every_version_compiles(version: str) -> None:
    interpreter = required(version)
    code = compile_source(interpreter, SOURCE, "x.py")

    assert [
        ("<module>", version, interpreter.release),
        ("outer", version, interpreter.release),
        ("outer.<locals>.inner", version, interpreter.release),
    ] == [(each.qualname, each.version, each.release) for each in code.walk()]


@pytest.mark.parametrize("version", interpreters.VERSIONS)
def test_a_syntax_error_of_another_version_tells_where(version: str) -> None:
    with pytest.raises(SourceError) as raised:
        compile_source(required(version), b"x = 1\ny = = 2\n", "x.py")

    assert ("x.py", 2, 5, "y = = 2") == (
        raised.value.file,
        raised.value.line,
        raised.value.column,
        raised.value.text,
    )


def test_syntax_that_the_version_does_not_know_is_refused() -> None:
    with pytest.raises(SourceError):
        compile_source(required("3.8"), b"match x:\n  case 1: pass\n", "x.py")


@pytest.mark.parametrize("version", ["3.8", "3.13"])
def test_deep_nesting_ends_the_child_at_most(version: str) -> None:
    with pytest.raises((SourceError, InterpreterError)):
        compile_source(required(version), b"x = a" + b".b" * 200_000, "x.py")


def test_nothing_is_executed(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    compile_source(required("3.8"), f"open({str(mark)!r}, 'w')".encode(), "x.py")

    assert not mark.exists()


def test_the_environment_of_the_user_does_not_reach_the_child(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "json.py").write_text("raise SystemExit('json of the user was imported')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("PYTHONOPTIMIZE", "2")
    monkeypatch.chdir(tmp_path)
    code = compile_source(required("3.8"), b"assert name", "x.py")

    assert "name" in code.names


@pytest.mark.skipif(sys.platform != "linux", reason="asks for limits of another process")
def test_the_child_has_the_limits() -> None:
    import resource

    with closing(Compiler(required("3.8").path, 5, 2**30)) as compiler:
        compiler.ask(b"x", "x.py", 0)
        process = compiler._process
        assert process is not None
        asked = [resource.RLIMIT_AS, resource.RLIMIT_CORE, resource.RLIMIT_CPU]
        memory, core, seconds = (resource.prlimit(process.pid, what)[0] for what in asked)

    assert (2**30, 0, 6) == (memory, core, seconds)


def test_one_process_compiles_all_files() -> None:
    interpreter = required("3.8")
    with from_interpreter.kept():
        found = [
            compile_source(interpreter, f"x = {number}".encode(), f"{number}.py")
            for number in range(3)
        ]
        (compiler,) = _kept_compilers()
        assert compiler._process is not None
        number = compiler._process.pid
        with pytest.raises(SourceError):
            compile_source(interpreter, b"x = = 1", "x.py")
        compile_source(interpreter, b"x", "x.py")
        assert number == compiler._process.pid

    assert [0, 1, 2] == [code.consts[0] for code in found]
    assert ["0.py", "1.py", "2.py"] == [code.filename for code in found]
    assert compiler._process is None


def test_a_process_that_died_is_told_and_started_anew() -> None:
    interpreter = required("3.8")
    with from_interpreter.kept():
        compile_source(interpreter, b"x", "x.py")
        (compiler,) = _kept_compilers()
        assert compiler._process is not None
        compiler._process.kill()
        with pytest.raises(InterpreterError, match="failed to compile the source"):
            compile_source(interpreter, b"x", "x.py")

        assert ("x",) == compile_source(interpreter, b"x", "x.py").names


def test_a_process_that_gives_no_answer_is_ended() -> None:
    """`cat` would answer with what it was asked; this reads and says nothing."""
    compiler = Compiler(sys.executable, 1, 2**30)
    compiler.command = [sys.executable, "-c", "import sys; sys.stdin.read()"]
    with closing(compiler), pytest.raises(InterpreterError, match="no answer in 1 seconds"):
        compiler.ask(b"x", "x.py", 0)

    assert compiler._process is None


def test_source_with_lines_that_look_like_requests_is_source() -> None:
    data = b'["x.py", 0, 1]\n' * 3

    assert [] == list(compile_source(required("3.8"), data, "x.py").names)


def _kept_compilers() -> list[Compiler]:
    assert from_interpreter._kept is not None
    return list(from_interpreter._kept.values())


def test_a_child_out_of_memory_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("resource")
    monkeypatch.setattr(from_interpreter, "MEMORY", 64 * 2**20)
    source = b"x = [" + b"0.5, " * 2_000_000 + b"]"

    with pytest.raises((SourceError, InterpreterError)):
        compile_source(required("3.8"), source, "x.py")


def test_a_version_is_found_and_a_release_is() -> None:
    release = required("3.8").release

    assert "3.8" == find("3.8").version
    assert release == find(release).release


def test_the_running_interpreter_is_found_by_its_path() -> None:
    here = find(sys.executable)

    assert ".".join(map(str, sys.version_info[:2])) == here.version


@pytest.mark.parametrize("spec", ["3.99", "3.13.99", "/nowhere/python", "nonsense"])
def test_a_missing_interpreter_tells_which_there_are(spec: str) -> None:
    with pytest.raises(InterpreterError) as raised:
        find(spec)

    assert identify(sys.executable).release in str(raised.value.found)


def test_installed_interpreters_have_tables_and_ascend() -> None:
    releases = installed()

    assert {each.version for each in releases} <= set(VERSIONS)
    assert sorted(VERSIONS.index(each.version) for each in releases) == [
        VERSIONS.index(each.version) for each in releases
    ]


@pytest.mark.skipif(os.name != "posix", reason="scripts with a #! line are of POSIX")
@pytest.mark.parametrize(
    "script", ["#!/bin/sh\nexit 3\n", '#!/bin/sh\necho \'["pypy", "3.9", "3.9.1"]\'\n', "junk"]
)
def test_what_is_not_cpython_is_refused(tmp_path: Path, script: str) -> None:
    command = tmp_path / "python"
    command.write_text(script)
    command.chmod(command.stat().st_mode | stat.S_IXUSR)

    with pytest.raises(InterpreterError):
        find(str(command))


def test_a_file_is_read_by_another_interpreter(tmp_path: Path) -> None:
    file = tmp_path / "x.py"
    file.write_bytes(SOURCE)
    function = read(f"{file}::outer.inner", python=str(interpreters.require("3.8")))

    assert ("interpreter", "3.8", "outer.<locals>.inner") == (
        function.origin,
        function.code.version,
        function.qualname,
    )
    assert function.source is not None
