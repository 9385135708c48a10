"""What all commands share while one of them runs: the options that say how to answer."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from shutil import get_terminal_size
from typing import TextIO

from coscope.render.text.measured import Pen

DEFAULT_WIDTH = 100  # cells, where nothing says how wide the page is

_SIGNS = "╭─╮│╰╯├└→←φ…·↺"  # must be in the output's encoding, or the page is laid out in ASCII


@dataclass
class Session:
    """The options that every command has, and the target once it is known."""

    json: bool = False
    no_color: bool = False
    width: int | None = None
    ascii: bool = False
    debug: bool = False
    no_pager: bool = False
    target: str | None = None
    output: str | None = None  # file that the answer goes to
    form: str = ""  # of the file, one of `render.saving.ENDINGS`
    command: str = ""  # whose answer goes to a file
    opens: bool = False  # show the file in the browser

    def pen(self) -> Pen:
        """How to lay out a page for standard output."""
        return Pen(self.width or _width(), self.ascii or not _encodes(sys.stdout))

    def colours(self) -> bool:
        """True if standard output wants colours."""
        if self.no_color or "NO_COLOR" in os.environ or os.environ.get("TERM") == "dumb":
            return False
        return sys.stdout.isatty() or bool(os.environ.get("FORCE_COLOR"))


def _width() -> int:
    if "COLUMNS" in os.environ or sys.stdout.isatty():
        return get_terminal_size((DEFAULT_WIDTH, 24)).columns
    return DEFAULT_WIDTH


def _encodes(stream: TextIO) -> bool:
    try:
        _SIGNS.encode(stream.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
