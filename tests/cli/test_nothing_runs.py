"""A static command executes nothing: not what it reads, nor what lies beside it.

Each test is an attack. The folder that is read, or in which the command runs, holds code that
leaves a mark when it is executed.
"""

from __future__ import annotations

import codecs
import os
import py_compile
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path

import pytest

pytest.importorskip("click")

from click.testing import CliRunner, Result

from coscope.cli.group import coscope
from coscope.errors import InterpreterError, SourceError
from coscope.readers import read
from coscope.readers.from_interpreter import find
from tests.interpreters import require

pytestmark = pytest.mark.skipif(sys.platform == "emscripten", reason="starts processes")
posix = pytest.mark.skipif(os.name != "posix", reason="scripts and links are of POSIX")

MARKS = "import os\nwith open({mark!r}, 'a') as out:\n    out.write({name!r} + chr(10))\n"


@cache
def loaded_before() -> frozenset[str]:
    """What `python -m` loads from the current folder before the package runs: see SECURITY.md."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "probe").mkdir()
        Path(folder, "probe", "__init__.py").write_text("import sys\nprint(*sys.modules)\n")
        words = [sys.executable, "-m", "probe"]
        done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
    return frozenset({"coscope", *done.stdout.split()})


@pytest.fixture
def mark(tmp_path: Path) -> Path:
    """The file that executed code leaves."""
    return tmp_path / "EXECUTED"


@pytest.fixture
def hostile(tmp_path: Path, mark: Path) -> Path:
    """A folder that shadows every module of the library, and all that coscope imports."""
    folder = tmp_path / "hostile"
    folder.mkdir()
    needed = {"click", "rich", "pygments", "markdown_it", "mdurl", "sitecustomize"}
    needed |= {"usercustomize", "conftest", "setup", "tests", "__main__", "__future__"}
    for name in sorted((sys.stdlib_module_names | needed) - loaded_before()):
        text = MARKS.format(mark=str(mark), name=name) + "def f(x):\n    return eval(x)\n"
        (folder / f"{name}.py").write_text(text)
    (folder / "evil.pth").write_text(f"import os; open({str(mark)!r}, 'a').write('pth')\n")
    (folder / "pyvenv.cfg").write_text(f"home = {folder}\n")
    return folder


def command(folder: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `python -m coscope` in a folder."""
    return subprocess.run(
        [sys.executable, "-m", "coscope", *words],
        cwd=folder,
        env={**os.environ, "XDG_CACHE_HOME": str(folder.parent / "cache"), **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


STATIC = {
    "show": ["show", "re.py::f"],
    "dis": ["dis", "linecache.py"],
    "graph": ["graph", "json.py::f"],
    "fingerprint": ["fingerprint", "traceback.py::f"],
    "diff": ["diff", "re.py::f", "json.py::f"],
    "verify": ["verify", "."],
    "verify, processes": ["verify", "-j", "2", "."],
    "audit": ["audit", "--no-cache", "-j", "1", "conftest.py", "sitecustomize.py"],
    "audit, cache": ["audit", "-j", "1", "click.py", "rich.py"],
    "trust": ["trust", "--no-cache", "."],
    "audit, processes": ["audit", "--no-cache", "-j", "2", "."],
    "audit, sarif": ["audit", "--format", "sarif", "re.py"],
    "rule": ["rule", "PERF101"],
    "explain-opcode": ["explain-opcode", "NOP"],
    "report": ["report", "re.py", "json.py", "-o", "report.html"],
    "patch": ["patch", "re.py::f", "--const", "1=2"],
}


@pytest.mark.parametrize("name", STATIC)
def test_a_folder_that_shadows_every_module_runs_nothing(
    hostile: Path, mark: Path, name: str
) -> None:
    done = command(hostile, *STATIC[name])

    assert "Traceback" not in done.stderr
    assert (False, True) == (mark.exists(), done.returncode in (0, 1, 2))


def test_a_large_tree_starts_processes_by_itself_that_run_nothing(
    hostile: Path, mark: Path
) -> None:
    for number in range(4):
        lines = "".join(f"def f{each}(x):\n    return x + {each}\n" for each in range(20_000))
        (hostile / f"large{number}.py").write_text(lines[:1_000_000].rpartition("def ")[0])
    done = command(hostile, "audit", "--no-cache", ".")

    assert (1, False) == (done.returncode, mark.exists())


@posix
def test_the_script_runs_nothing_of_the_folder_not_even_coscope_py(
    hostile: Path, mark: Path
) -> None:
    for name in loaded_before() - {"__main__"}:
        if "." in name:
            continue
        (hostile / f"{name}.py").write_text(MARKS.format(mark=str(mark), name=name))
    script = Path(sys.executable).with_name("coscope")
    if not script.exists():
        pytest.skip("coscope is not installed here")
    done = subprocess.run(
        [str(script), "audit", "--no-cache", "-j", "2", "."],
        cwd=hostile, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip

    assert (1, False) == (done.returncode, mark.exists())


@pytest.mark.parametrize("version", ["3.8", "3.10", "3.13"])
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_other_interpreters_run_nothing_of_the_folder(
    hostile: Path, mark: Path, version: str, jobs: str
) -> None:
    python = str(require(version))
    words = ["audit", "--no-cache", "--python", python, "-j", jobs, "re.py", "json.py"]
    done = command(hostile, *words, PYTHONSTARTUP=str(hostile / "re.py"))

    assert (1, False) == (done.returncode, mark.exists())


def test_pythonpath_reaches_no_process_that_coscope_starts(tmp_path: Path, mark: Path) -> None:
    """What PYTHONPATH names runs in the first process, as in any Python; there it ends."""
    (tmp_path / "path").mkdir()
    (tmp_path / "tree").mkdir()
    text = MARKS.format(mark=str(mark), name="sitecustomize")
    (tmp_path / "path" / "sitecustomize.py").write_text(text)
    for name in "ab":
        (tmp_path / "tree" / f"{name}.py").write_text("def f(x):\n    return eval(x)\n")
    words = ["audit", "--no-cache", "-j", "2", ".", "--python", str(require("3.12"))]
    done = command(tmp_path / "tree", *words, PYTHONPATH=str(tmp_path / "path"))

    assert (1, "sitecustomize\n") == (done.returncode, mark.read_text())


# Configuration


@pytest.fixture
def configured(tmp_path: Path, mark: Path) -> Path:
    """A project whose configuration names a program of its own as the interpreter."""
    project = tmp_path / "project"
    (project / "tools").mkdir(parents=True)
    (project / "app.py").write_text("def f(x):\n    return 1\n")
    program = project / "tools" / "py"
    program.write_text(f'#!/bin/sh\necho yes >> {mark}\nexec {sys.executable} "$@"\n')
    program.chmod(0o755)
    return project


def audit(project: Path, *words: str) -> Result:
    return CliRunner().invoke(coscope, ["audit", "--no-cache", str(project / "app.py"), *words])


@posix
@pytest.mark.parametrize(
    "named",
    [
        "./tools/py",
        "tools/py",
        "{project}/tools/py",
        "py",
        "python3",
        "3.13/../tools/py",
        "",
        "~/py",
    ],
)
def test_a_configuration_names_no_interpreter(
    configured: Path, mark: Path, monkeypatch: pytest.MonkeyPatch, named: str
) -> None:
    monkeypatch.chdir(configured)
    monkeypatch.setenv("PATH", f"{configured / 'tools'}{os.pathsep}{os.environ['PATH']}")
    text = named.format(project=configured)
    (configured / "pyproject.toml").write_text(f'[tool.coscope]\npython = "{text}"\n')
    result = audit(configured)

    assert (2, False) == (result.exit_code, mark.exists())
    assert "pyproject.toml: [tool.coscope] python is not a version" in result.stderr


@posix
def test_the_command_line_may_name_an_interpreter(configured: Path, mark: Path) -> None:
    result = audit(configured, "--python", str(configured / "tools" / "py"))

    assert (0, True) == (result.exit_code, mark.exists())


@posix
def test_a_relative_folder_of_path_is_not_searched(
    configured: Path, mark: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(configured)
    program = configured / "tools" / "py"
    for name in ("python3.12", "python3.77"):
        program.with_name(name).write_text(program.read_text())
        program.with_name(name).chmod(0o755)
    monkeypatch.setenv("PATH", os.pathsep.join(["tools", "", "."]))
    for spec in ("3.77", "python3.77", "py"):
        with pytest.raises(InterpreterError):
            find(spec)

    assert not mark.exists()


@posix
def test_a_shim_is_not_asked_in_the_current_folder(
    configured: Path, mark: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """pyenv's and asdf's programs on PATH run what a file of the current folder names."""
    shim = configured.parent / "shims" / "python3.77"
    shim.parent.mkdir()
    shim.write_text("#!/bin/sh\n[ -f .python-version ] && exec $(cat .python-version)\nexit 1\n")
    shim.chmod(0o755)
    (configured / ".python-version").write_text(str(configured / "tools" / "py"))
    monkeypatch.chdir(configured)
    monkeypatch.setenv("PATH", f"{shim.parent}{os.pathsep}{os.environ['PATH']}")
    with pytest.raises(InterpreterError):
        find("3.77")

    assert not mark.exists()


@posix
def test_a_configuration_behind_a_link_is_reported(configured: Path) -> None:
    (configured.parent / "elsewhere.toml").write_text("[tool.coscope]\n")
    (configured / "pyproject.toml").symlink_to("../elsewhere.toml")
    result = audit(configured)

    assert 0 == result.exit_code
    assert f"is a symbolic link to {configured.parent / 'elsewhere.toml'}" in result.stderr


@posix
@pytest.mark.parametrize(
    ("mode", "uid", "words"),
    [
        (0o644, 1, "belongs to another user"),
        (0o666, 0, "can be written by every user"),
        (0o644, 0, ""),
    ],
)
def test_the_configuration_of_another_user_is_reported(
    configured: Path, monkeypatch: pytest.MonkeyPatch, mode: int, uid: int, words: str
) -> None:
    file = configured / "pyproject.toml"
    file.write_text("[tool.coscope]\n")
    file.chmod(mode)
    monkeypatch.setattr(os, "geteuid", lambda: file.stat().st_uid + uid)
    if file.stat().st_uid == 0 and uid:
        os.chown(file, 12_345, -1)
    result = audit(configured)

    assert (0, bool(words)) == (result.exit_code, "coscope: note: " in result.stderr)
    assert words in result.stderr


# Encodings


@pytest.fixture
def codec() -> Iterator[list[str]]:
    """A codec of the environment, as .pth files of packages register them; what it was asked."""
    asked: list[str] = []

    def search(name: str) -> codecs.CodecInfo | None:
        asked.append(name)
        return codecs.lookup("utf-8") if name.startswith("evil") else None

    codecs.register(search)
    yield asked
    codecs.unregister(search)


@pytest.mark.parametrize(
    "head",
    [
        b"# coding: evil1\n",
        b"#!/usr/bin/python\n# -*- coding: evil2 -*-\n",
        b"\r# coding: evil3\r",  # the compiler ends lines at a carriage return; tokenize does not
        b"#\r# coding: evil4\n",
        b"\x0c# coding=evil5\n",
        b"\r\n# vim: set fileencoding=evil6 :\n",
        b"\n\r# coding: evil7\n",
    ],
)
def test_a_codec_that_a_package_registered_is_not_asked(
    tmp_path: Path, codec: list[str], head: bytes
) -> None:
    file = tmp_path / "x.py"
    file.write_bytes(head + b"def f(x):\n    return eval(x)\n")
    with suppress(SourceError):  # where no encoding is declared, as the compiler sees it
        read(file)
    for words in (["verify"], ["audit", "--no-cache"], ["show"]):
        CliRunner().invoke(coscope, [*words, str(file)])

    assert [] == codec


def test_an_encoding_of_the_folder_is_not_imported(tmp_path: Path, mark: Path) -> None:
    folder = tmp_path / "tree"
    (folder / "encodings").mkdir(parents=True)
    for name in ("evil.py", "encodings/evil.py", "encodings/__init__.py"):
        (folder / name).write_text(MARKS.format(mark=str(mark), name=name))
    (folder / "x.py").write_text("# coding: evil\nx = 1\n")
    (folder / "y.py").write_text("# coding: encodings.evil\nx = 1\n")
    done = [command(folder, *words) for words in (["show", "x.py"], ["audit", "."])]

    assert ([2, 2], False) == ([each.returncode for each in done], mark.exists())


# Targets: what is left of a colon is not imported if it is a file, or is named like one

TARGETS = (
    *("evil.py", "evil.py:3", "evil.py:f", "evil.py::f", "evil.py:K.m", "evil.py::K.m", "evil:3"),
    *("./evil.py:f", "{folder}/evil.py:f", "evil.PY:f", "EVIL.py:f", "evil.py:3:4", "evil.py:"),
    *(
        "evil.py :f",
        ":evil",
        "evil.pyc:f",
        "evil.pyi:f",
        "evil.pyw:f",
        "evil.pyi:3",
        "cached.pyc:f",
    ),
    *("cached.pyc::f", "only.py:f", "only.pyc:f", "package/__init__.py:f", "package/:f", "package"),
    *("package.py:f", "package.py:1", "package.pyc:f", "script:f", "script:3", "./script::f"),
    *("file:evil.py", "evil.py:<module>", "evil.py::<module>", "evil.py:f@4", "-", "@evil.py"),
)


@pytest.mark.parametrize("target", TARGETS)
def test_a_target_that_names_a_file_imports_nothing(
    tmp_path: Path, mark: Path, monkeypatch: pytest.MonkeyPatch, target: str
) -> None:
    folder = tmp_path / "targets"
    (folder / "package").mkdir(parents=True)
    text = MARKS.format(mark=str(mark), name=target)
    text += "def f():\n    return 1\nclass K:\n    def m(self):\n        return 2\n"
    for name in (
        "evil.py",
        "evil.pyi",
        "evil.pyw",
        "script",
        "package/__init__.py",
        "package/py.py",
    ):
        (folder / name).write_text(text)
    for name in ("package/pyc.py", "package/__main__.py", "only.txt"):
        (folder / name).write_text(text)
    for name in ("cached.pyc", "only.pyc"):
        py_compile.compile(str(folder / "evil.py"), str(folder / name), doraise=True)
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(folder)
    for command in (["show"], ["dis"], ["graph"], ["fingerprint"], ["verify"], ["signature"]):
        CliRunner().invoke(coscope, [*command, target.format(folder=folder)], input=text)

    assert not mark.exists()
