"""Sheets in colour, by rich. Without colour nothing of rich is needed: see `sheet.Sheet`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TextIO

from rich.console import Console
from rich.text import Text

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


def to_terminal(sheet: Sheet, file: TextIO | None = None) -> None:
    """Write a sheet to a terminal in as many colours as it has."""
    console = Console(
        file=file, width=sheet.pen.width, highlight=False, markup=False, emoji=False, soft_wrap=True
    )
    for text in to_rich(sheet):
        console.print(text, soft_wrap=True)


def to_rich(sheet: Sheet) -> Iterator[Text]:
    """The lines as rich's own text, never parsed as markup."""
    for line in sheet.clipped():
        text = Text(no_wrap=True, overflow="ignore", end="\n")
        for piece, role in line:
            text.append(piece, STYLES[role])
        text.rstrip()
        yield text
