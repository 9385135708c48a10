"""A page to standard output: through a pager on a terminal, in colours where they are wanted."""

from __future__ import annotations

import sys
from itertools import islice
from typing import TYPE_CHECKING

from coscope.cli import paging
from coscope.cli.session import Session
from coscope.cli.streams import write_text

if TYPE_CHECKING:
    from coscope.render.pages.sheet import Sheet


_LINES = 2_000  # of a long page that are written at a time


def write_sheet(session: Session, sheet: Sheet) -> None:
    """Write a page, or a part of one, in colours if they are wanted."""
    paging.begin(wanted=not session.no_pager)
    if session.colours():
        from coscope.render.to_terminal import to_terminal

        to_terminal(sheet, sys.stdout)
    else:
        texts = sheet.texts()
        while part := "".join(islice(texts, _LINES)):
            write_text(part)
