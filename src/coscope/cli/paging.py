"""A pager for what is longer than the screen, as git has it."""

from __future__ import annotations

import os
import shutil
import sys
from contextlib import suppress
from io import TextIOWrapper
from typing import TYPE_CHECKING, NamedTuple, TextIO

if TYPE_CHECKING:  # an answer without a pager needs no process
    import subprocess

# Quit if it fits on one screen, keep colours and links, leave the page on the screen. As git.
_LESS = "FRX"


class _Screen(TextIOWrapper):
    """What is written to the pager ends on a terminal: colours and its width hold."""

    def isatty(self) -> bool:
        return True


class _Pager(NamedTuple):
    """A pager that runs, and what it took the place of."""

    process: subprocess.Popen[bytes]
    screen: _Screen
    stdout: TextIO
    stderr: TextIO


_running: list[_Pager] = []  # one at most


def is_running() -> bool:
    """True while standard output goes to a pager."""
    return bool(_running)


def begin(*, wanted: bool) -> None:
    """Let standard output go to the pager from here on, if there is a terminal and a pager.

    The pager begins to show when it has a screen full, or all there is. Errors on the same
    terminal go to it as well: beside it they would be lost. A reader who leaves early closes it,
    and the next write raises BrokenPipeError.

    Args:
        wanted: False: no pager, as with --no-pager.
    """
    if _running or not wanted or not sys.stdout.isatty():
        return
    command = _command()
    process = None if command is None else _started(command)
    if process is None or process.stdin is None:
        return
    encoding = sys.stdout.encoding
    screen = _Screen(process.stdin, encoding=encoding, errors="backslashreplace")
    _running.append(_Pager(process, screen, sys.stdout, sys.stderr))
    sys.stdout = screen
    if sys.stderr.isatty():
        sys.stderr = screen


def end() -> None:
    """Wait until the reader has left the pager, and give the terminal back."""
    if not _running:
        return
    pager = _running.pop()
    sys.stdout, sys.stderr = pager.stdout, pager.stderr
    with suppress(OSError):  # the reader has left
        pager.screen.close()
    while True:
        try:
            pager.process.wait()
            return
        except KeyboardInterrupt:  # meant for the pager
            continue


def _command() -> list[str] | None:
    """The words of the pager, or None: nobody wants one, or there is none."""
    if os.environ.get("TERM") == "dumb":
        return None
    for name in ("COSCOPE_PAGER", "PAGER"):
        if name in os.environ:
            words = _words(os.environ[name])
            return words if words and words != ["cat"] else None
    return ["less"] if shutil.which("less") else None


def _words(text: str) -> list[str]:
    try:
        import shlex

        return shlex.split(text, posix=os.name == "posix")
    except ValueError:
        return []


def _started(command: list[str]) -> subprocess.Popen[bytes] | None:
    environment = {"LESS": _LESS, "LV": "-c", **os.environ}
    try:
        import subprocess

        return subprocess.Popen(command, stdin=subprocess.PIPE, env=environment)
    except OSError:  # it is not there, or no program: the page is worth more than the pager
        return None
