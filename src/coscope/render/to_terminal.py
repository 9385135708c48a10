"""Sheets in colour, by rich. Without colour nothing of rich is needed: see `sheet.Sheet`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TextIO

from rich.console import Console
from rich.style import Style
from rich.text import Text

from coscope.render.links import links_in
from coscope.render.pages.sheet import Sheet

# Colours by name, so that the terminal's own palette decides: readable on light and on dark.
STYLES = {
    "plain": "",
    "frame": "dim",
    "heading": "bold",
    "title": "bold cyan",
    "kind": "magenta",
    "faint": "dim",
    "name": "cyan",
    "value": "green",
    "type": "magenta",
    "line number": "dim",
    "source": "bold",
    "mark": "green",
    "block": "bold yellow",
    "offset": "dim",
    "opcode": "",
    "operand": "cyan",
    "jump": "yellow",
    "stack": "dim",
    "top": "blue",
    "specialized": "green",
    "missing": "yellow",
    "generic": "red",
    "warning": "yellow",
    "error": "bold red",
}


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Let the command line decide: rich would end the process with a status that has a meaning.

        Raises:
            BrokenPipeError: The reader has left.
        """
        raise BrokenPipeError


def to_terminal(sheet: Sheet, file: TextIO | None = None) -> None:
    """Write a sheet to a terminal in as many colours as it has."""
    console = _Console(
        file=file, width=sheet.pen.width, highlight=False, markup=False, emoji=False, soft_wrap=True
    )
    for text in to_rich(sheet, links=(file or sys.stdout).isatty()):
        console.print(text, soft_wrap=True)


def to_rich(sheet: Sheet, *, links: bool = False) -> Iterator[Text]:
    """The lines as rich's own text, never parsed as markup.

    Args:
        sheet: The page.
        links: Paths of files that exist lead to them.
    """
    for line in sheet.clipped():
        text = Text(no_wrap=True, overflow="ignore", end="\n")
        for piece, role in line:
            text.append(piece, STYLES[role])
        for link in links_in(text.plain, sheet.cut_paths) if links else ():
            text.stylize(Style(link=link.address), link.start, link.stop)
        text.rstrip()
        yield text
