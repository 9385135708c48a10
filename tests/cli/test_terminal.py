"""What depends on the terminal and the system: pager, links, encodings, what POSIX alone has."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

pytest.importorskip("rich")

from coscope.cli import paging
from coscope.readers.naming import parse
from coscope.render.links import links_in
from coscope.render.pages.sheet import Sheet
from coscope.render.text.measured import Pen
from coscope.render.to_terminal import to_rich

pty = pytest.importorskip("pty", reason="there are terminals under POSIX alone")

SIZE = (30, 100)  # lines, columns


def on_terminal(*words: str, keys: str = "", **environment: str) -> tuple[str, int]:
    """Run the command line on a terminal of its own; what it shows, and the exit status."""
    import fcntl
    import struct
    import termios

    terminal, inner = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", *SIZE, 0, 0))
    kept = {"PATH": os.environ["PATH"], "TERM": "xterm-256color", "LC_ALL": "C.UTF-8"}
    child = subprocess.Popen(
        [sys.executable, "-m", "coscope", *words],
        stdin=inner,
        stdout=inner,
        stderr=inner,
        env=kept | environment,
        start_new_session=True,
    )
    os.close(inner)
    shown = b""
    started = time.monotonic()
    while time.monotonic() - started < 60:
        try:
            more = os.read(terminal, 65536)
        except OSError:  # the child has left
            break
        if not more:
            break
        shown += more
        if keys and shown.rstrip().endswith((b":", b":\x1b[K")):  # less waits
            os.write(terminal, keys.encode())
            keys = ""
    os.close(terminal)
    return shown.decode(), child.wait()


@pytest.fixture
def pager(tmp_path: Path) -> str:
    """A pager that says that it ran, and passes everything on."""
    script = tmp_path / "pager.py"
    script.write_text(
        "import os, sys\n"
        "text = sys.stdin.buffer.read().decode()\n"
        "print('PAGED', os.environ['LESS'], text)\n",
        encoding="utf-8",
    )
    return f"{sys.executable} {script}"


needs_fork = pytest.mark.skipif(sys.platform == "emscripten", reason="starts a process")


@needs_fork
@pytest.mark.parametrize("variable", ["PAGER", "COSCOPE_PAGER"])
def test_a_page_on_a_terminal_goes_to_the_pager(pager: str, variable: str) -> None:
    shown, status = on_terminal("show", "json:dumps", **{variable: pager})

    assert 0 == status
    assert "PAGED FRX" in shown
    assert "json.dumps" in shown
    assert "\x1b[" in shown  # in colours


@needs_fork
@pytest.mark.parametrize(
    ("words", "environment"),
    [
        (["--no-pager"], {}),
        ([], {"PAGER": "cat"}),
        ([], {"PAGER": ""}),
        ([], {"TERM": "dumb"}),
        ([], {"COSCOPE_PAGER": "cat"}),
        ([], {"PAGER": "no-such-pager-anywhere"}),
    ],
)
def test_nobody_is_given_a_pager_that_is_not_wanted(
    pager: str, words: list[str], environment: dict[str, str]
) -> None:
    environment = {"PAGER": pager, **environment}
    shown, status = on_terminal("show", "json:dumps", *words, **environment)

    assert 0 == status
    assert "PAGED" not in shown
    assert "json.dumps" in shown


@needs_fork
def test_the_exit_status_is_that_of_the_command(pager: str) -> None:
    shown, status = on_terminal("diff", "json:dumps", "json:loads", PAGER=pager)

    assert 1 == status
    assert "PAGED" in shown


@needs_fork
def test_an_error_among_several_targets_is_on_the_page(pager: str) -> None:
    shown, status = on_terminal("show", "json:dumps", "nothing.py", PAGER=pager)

    assert 2 == status
    assert "nothing.py: there is no such file" in shown[shown.index("PAGED") :]


@needs_fork
@pytest.mark.skipif(not any(map(os.path.exists, ["/usr/bin/less", "/bin/less"])), reason="no less")
def test_less_is_the_pager_and_can_be_left_early() -> None:
    shown, status = on_terminal("show", "json:dumps", "json:loads", keys="q")

    assert 0 == status
    assert "json.dumps" in shown
    assert "json.loads" not in shown  # on the second screen


def test_there_is_no_pager_without_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAGER", "no-such-pager-anywhere")
    before = sys.stdout
    paging.begin(wanted=True)

    assert before is sys.stdout
    assert not paging.is_running()


@needs_fork
def test_paths_on_a_terminal_lead_to_their_files(tmp_path: Path) -> None:
    file = tmp_path / "small.py"
    file.write_text("def f(): pass\n", encoding="utf-8")
    shown, _ = on_terminal("show", f"{file}::f", "--no-pager")

    assert re.search(rf"\x1b\]8;[^;]*;{file.as_uri()}\x1b\\", shown)


def test_without_a_terminal_there_are_no_links(tmp_path: Path) -> None:
    sheet = Sheet(Pen())
    sheet.add((__file__, "plain"))

    assert [[]] == [text.spans[1:] for text in to_rich(sheet)]
    assert [f"link {Path(__file__).as_uri()}"] == [
        str(text.spans[-1].style) for text in to_rich(sheet, links=True)
    ]


@pytest.mark.parametrize(
    "text",
    [
        "no/such/file.py",
        "//evil.example/share/x.py",
        "\\\\evil.example\\share\\x.py",
        "nul\0.py",
        f"{__file__}.txt",
        str(Path(__file__).parent),
    ],
)
def test_only_files_that_exist_here_are_linked(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    real = os.path.isfile
    monkeypatch.setattr(os.path, "isfile", lambda path: (asked.append(path), real(path))[1])

    assert [] == list(links_in(text))
    assert [] == [path for path in asked if "evil" in path]


def test_a_path_with_a_line_is_linked_without_it() -> None:
    (link,) = links_in(f"in {__file__}:12:3  said")

    assert (3, 3 + len(__file__)) == (link.start, link.stop)


WINDOWS = {
    r"C:\app.py::f": ("file", r"C:\app.py", "f", None),
    r"C:\app.py:12": ("file", r"C:\app.py", "", 12),
    r"C:\app.py:12:8": ("file", r"C:\app.py", "", 12),
    r"C:\app.py": ("file", r"C:\app.py", "", None),
    "c:/app/x.pyc::Order.total": ("file", "c:/app/x.pyc", "Order.total", None),
    r"D:\a b\x.pyw::f@3:4": ("file", r"D:\a b\x.pyw", "f@3:4", None),
}


@pytest.mark.parametrize("text", WINDOWS)
def test_a_drive_is_no_module(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("C", "c", "D"):
        (tmp_path / name).write_text("a file of that name changes nothing", encoding="utf-8")
    named = parse(text)

    assert WINDOWS[text] == (named.form, named.left, named.part, named.line)


# What a Python under Windows does not have. `signal` lacks some of its names there too.
HIDING = """
import sys, os, signal
for name in ("resource", "fcntl", "pwd", "grp", "termios", "pty", "tty", "posix_spawn"):
    sys.modules[name] = None
for name in ("fork", "forkpty", "geteuid", "getuid", "getgid", "sched_getaffinity", "killpg",
             "setsid", "posix_spawn", "wait4", "waitid"):
    if hasattr(os, name):
        delattr(os, name)
for name in ("pthread_sigmask", "SIGKILL", "SIGHUP", "SIGALRM", "setitimer", "alarm"):
    if hasattr(signal, name):
        delattr(signal, name)
sys.argv = ["coscope", *sys.argv[1:]]
from coscope.cli import main
main()
"""
READING = [
    ["show", "json:dumps"],
    ["show", "app.py::f"],
    ["show", "app.pyc"],
    ["dis", "app.py"],
    ["graph", "app.py::f"],
    ["depends", "json:dumps", "--transitive"],
    ["closure", "json:dumps"],
    ["capture", "json:dumps"],
    ["call", "json:dumps", "1"],
    ["signature", "json:dumps"],
    ["fingerprint", "json:dumps"],
    ["diff", "app.py", "app.pyc"],
    ["verify", "app.py", "app.pyc"],
    ["audit", "app.py", "--no-cache"],
    ["rule", "VER104"],
    ["explain-opcode", "LOAD_FAST"],
]


@needs_fork
@pytest.mark.skipif(sys.version_info[:2] != (3, 13), reason="no other host differs; tried on one")
@pytest.mark.parametrize("words", READING, ids=" ".join)
def test_reading_needs_nothing_that_only_posix_has(tmp_path: Path, words: list[str]) -> None:
    source = "def f(rows):\n    return [row for row in rows if row]\n"
    (tmp_path / "app.py").write_text(source, encoding="utf-8")
    import py_compile

    py_compile.compile(str(tmp_path / "app.py"), str(tmp_path / "app.pyc"))
    found = subprocess.run(
        [sys.executable, "-c", HIDING, *words],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
    )

    assert (0, "") == (found.returncode, found.stderr)
    assert found.stdout


CP1252 = """
import io, sys
sys.stdout = io.TextIOWrapper(sys.stdout.buffer, encoding="cp1252", newline="\\r\\n")
sys.stderr = io.TextIOWrapper(sys.stderr.buffer, encoding="cp1252", newline="\\r\\n")
sys.argv = ["coscope", *sys.argv[1:]]
from coscope.cli import main
main()
"""


@needs_fork
@pytest.mark.skipif(sys.version_info[:2] != (3, 13), reason="no other host differs; tried on one")
@pytest.mark.parametrize("words", READING, ids=" ".join)
def test_a_console_of_cp1252_with_its_line_ends(tmp_path: Path, words: list[str]) -> None:
    source = 'def f(rows):\r\n    return [row for row in rows if row != "日本 é"]\r\n'
    (tmp_path / "app.py").write_bytes(source.encode())
    import py_compile

    py_compile.compile(str(tmp_path / "app.py"), str(tmp_path / "app.pyc"))
    command = [sys.executable, "-c", CP1252, *words]
    found = subprocess.run(command, cwd=tmp_path, capture_output=True)
    text = found.stdout.decode("cp1252")

    assert (0, b"") == (found.returncode, found.stderr)
    assert text.count("\n") == text.count("\r\n") > 0
    assert "\r\r" not in text


def test_the_error_of_a_file_with_cr_lf_names_the_right_line(tmp_path: Path) -> None:
    file = tmp_path / "app.py"
    file.write_bytes(b"def f():\r\n    pass\r\nx = = 2\r\n")
    command = [sys.executable, "-m", "coscope", "show", str(file)]
    found = subprocess.run(command, capture_output=True, text=True)

    assert 2 == found.returncode
    assert "line 3" in found.stderr
    assert textwrap.dedent(found.stderr.splitlines()[1]).startswith("x = = 2")
