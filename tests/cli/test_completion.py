"""Completion in real shells: bash and zsh on a terminal of their own, fish by its own question."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("click")

from click.testing import CliRunner

from coscope.cli.completion import SHELLS
from coscope.cli.group import coscope

pytestmark = pytest.mark.skipif(
    sys.platform in ("emscripten", "win32"), reason="there are no shells of POSIX"
)

SOURCE = """
class Order:
    def total(self): ...
def make():
    def task(): ...
    return task
raise SystemExit("executed")
"""

# What is typed before the tabulator -> what the shell makes of it.
ONE = {
    "coscope sho": "coscope show",
    "coscope fing": "coscope fingerprint",
    "coscope show --no-c": "coscope show --no-color",
    "coscope show ord": "coscope show orders.py",
    "coscope orders.py": "coscope orders.py",
    "coscope show orders.py::Order.t": "coscope show orders.py::Order.total",
    "coscope show orders.py::make.": "coscope show orders.py::make.task",
    "coscope show orders:Order.t": "coscope show orders:Order.total",
    "coscope --no-color dis orders.py::make.": "coscope --no-color dis orders.py::make.task",
    "coscope show orders.py::Order.total orders.py::make.": (
        "coscope show orders.py::Order.total orders.py::make.task"
    ),
    "coscope show sub/inn": "coscope show sub/inner.py",
    "coscope show json.enc": "coscope show json.encoder",
    "coscope rule VER104": "coscope rule VER104",
    "coscope rule SIG11": "coscope rule SIG11",  # two of them
    "coscope explain-opcode LOAD_BUILD_C": "coscope explain-opcode LOAD_BUILD_CLASS",
    "coscope graph orders.py --format mer": "coscope graph orders.py --format mermaid",
    "coscope audit --select PERF10": "coscope audit --select PERF10",
    "coscope verify sub/in": "coscope verify sub/inner.py",
    "coscope call orders.py::make.ta": "coscope call orders.py::make.task",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("completion")
    (folder / "orders.py").write_text(SOURCE, encoding="utf-8")
    (folder / "sub").mkdir()
    (folder / "sub" / "inner.py").write_text(SOURCE, encoding="utf-8")
    (folder / "bin").mkdir()
    program = folder / "bin" / "coscope"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m coscope "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    return folder


def _environment(folder: Path) -> dict[str, str]:
    path = f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
    kept = {"PATH": path, "TERM": "dumb", "LC_ALL": "C.UTF-8", "HOME": str(folder)}
    return {**kept, "PS1": "$ ", "PROMPT": "$ ", "COLUMNS": "200"}


def on_terminal(command: list[str], setup: str, typed: str, folder: Path) -> str:
    """What a line has become after the tabulator: the shell itself prints it."""
    import pty

    terminal, inner = pty.openpty()
    child = subprocess.Popen(
        command,
        stdin=inner,
        stdout=inner,
        stderr=inner,
        cwd=folder,
        env=_environment(folder),
        start_new_session=True,
    )
    os.close(inner)
    # Control-A and Control-E go to the ends of the line.
    lines = f"{setup}\r", f"{typed}\t\x01echo 'GOT<'\x05'>'\r", "exit\r"
    try:
        for line in lines[:1]:
            os.write(terminal, line.encode())
        _until(terminal, b"READY2")
        os.write(terminal, "".join(lines[1:]).encode())
        shown = _until(terminal, None)
    finally:
        os.close(terminal)
        child.kill()
        child.wait()
    found = [line for line in shown.replace("\r", "\n").split("\n") if line.startswith("GOT<")]
    assert found, shown
    return found[-1].removeprefix("GOT<").removesuffix(">").strip()


def _until(terminal: int, end: bytes | None) -> str:
    shown = b""
    started = time.monotonic()
    while time.monotonic() - started < 60:
        try:
            more = os.read(terminal, 65536)
        except OSError:
            break
        shown += more
        if not more or (end is not None and end in shown):
            break
    return shown.decode(errors="replace")


def in_bash(typed: str, folder: Path) -> str:
    setup = 'eval "$(coscope completion bash)"; bind "set bell-style none"; echo READY$((1+1))'
    return on_terminal(["bash", "--norc", "--noprofile", "-i"], setup, typed, folder)


def in_zsh(typed: str, folder: Path) -> str:
    setup = (
        "bindkey -e; autoload -Uz compinit; compinit -u -D; unsetopt beep automenu prompt_sp;"
        ' eval "$(coscope completion zsh)"; echo READY$((1+1))'
    )
    return on_terminal(["zsh", "-f", "-i"], setup, typed, folder)


def in_fish(typed: str, folder: Path) -> str:
    script = "coscope completion fish | source; complete -C $argv[1]"
    found = subprocess.run(
        ["fish", "--no-config", "-c", script, typed],
        cwd=folder,
        env=_environment(folder),
        capture_output=True,
        text=True,
    )
    answers = [line.split("\t")[0] for line in found.stdout.splitlines()]
    common = os.path.commonprefix(answers)  # noqa: RUF071  characters are meant
    before, space, last = typed.rpartition(" ")
    return before + space + (common if common.startswith(last) else last)


IN: dict[str, Callable[[str, Path], str]] = {"bash": in_bash, "zsh": in_zsh, "fish": in_fish}


@pytest.mark.skipif(sys.version_info[:2] != (3, 13), reason="no other host differs; tried on one")
@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("typed", ONE)
def test_a_shell_completes(shell: str, typed: str, folder: Path) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")

    assert ONE[typed] == IN[shell](typed, folder).rstrip("/ ")


@pytest.mark.parametrize("shell", SHELLS)
def test_what_is_printed_is_a_script_of_that_shell(shell: str, folder: Path) -> None:
    script = CliRunner().invoke(coscope, ["completion", shell]).stdout
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    checked = subprocess.run([shell, "-n"], input=script, capture_output=True, text=True)

    assert (0, "") == (checked.returncode, checked.stderr)


def test_nothing_is_executed_for_a_completion(folder: Path) -> None:
    """The file of the tests raises SystemExit when it runs; a broken one is no error either."""
    (folder / "broken.py").write_text("def (", encoding="utf-8")
    environment = {"_COSCOPE_COMPLETE": "bash_complete", "COMP_BREAKS": ""}
    for line in ("show orders.py::", "show orders:", "show broken.py::", "show broken:", "x.y.z."):
        found = subprocess.run(
            [sys.executable, "-m", "coscope"],
            cwd=folder,
            env={**os.environ, **environment, "COMP_LINE": f"coscope {line}"},
            capture_output=True,
            text=True,
        )

        assert (0, "") == (found.returncode, found.stderr)
        assert "executed" not in found.stdout
