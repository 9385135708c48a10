"""`Card`: what `coscope.show` gives, at home in a terminal, a notebook and a log."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any

from coscope.model import Function
from coscope.readers import Target, locate
from coscope.render.document.targets import document_of
from coscope.render.pages.sheets import card_sheet
from coscope.render.text.measured import Pen
from coscope.render.to_html import to_html

if TYPE_CHECKING:
    from coscope.render.schemas import report as schema

MIME = "application/vnd.coscope+json"


class Card:
    """A function on one page: prints as text, displays as HTML, holds the JSON document."""

    def __init__(self, target: object, *, width: int = 100) -> None:
        """Args: what `read` takes or returned, or a `Target`; the width of the page in cells."""
        self.target: Target = target if isinstance(target, Target) else locate(target)
        self.width = width
        self.shown_in: int | None = None  # number of a cell that shows it already
        if self.target.cls is None:
            self.function  # noqa: B018 - what cannot be read is an error now, not when it prints

    @property
    def function(self) -> Function:
        """What was read; of a class, its constructor."""
        return self.target.function

    @cached_property
    def document(self) -> schema.Document:
        """The whole document of docs/schema.md, as `--json` prints it."""
        return self._made(whole=True)

    @cached_property
    def _shown(self) -> schema.Document:
        """As much of it as a page shows."""
        return self._made(whole=False)

    def _made(self, whole: bool) -> schema.Document:
        several = self.target.whole or self.target.cls is not None
        return document_of(self.target, detail="none" if several else "first", whole=whole)

    def print(self) -> None:
        """Print the card, in colour on a terminal that wants colours."""
        if sys.stdout.isatty() and "NO_COLOR" not in os.environ:
            from coscope.render.to_terminal import to_terminal

            to_terminal(card_sheet(self._shown, Pen(self.width)))
        else:
            print(self, end="")

    def __str__(self) -> str:
        return str(card_sheet(self._shown, Pen(self.width)))

    __repr__ = __str__

    def __rich_console__(self, console: Any, options: Any) -> Iterator[Any]:
        from coscope.render.to_terminal import to_rich

        pen = Pen(min(options.max_width, self.width), ascii=options.ascii_only)
        yield from to_rich(card_sheet(self._shown, pen))

    def _ipython_display_(self) -> None:
        """Nothing, once, where `show` displayed it in this very cell; else what all objects do."""
        from coscope.render.displaying import cell_number

        if self.shown_in is not None and self.shown_in == cell_number():
            self.shown_in = None
            return
        raise NotImplementedError  # IPython then asks for the bundle

    def _repr_mimebundle_(
        self, include: Iterable[str] | None = None, exclude: Iterable[str] | None = None
    ) -> dict[str, object]:
        wanted = {"text/plain", "text/html", MIME} if include is None else set(include)
        wanted -= set(exclude or ())
        bundle: dict[str, object] = {}
        if "text/plain" in wanted:
            bundle["text/plain"] = str(self)
        if "text/html" in wanted:
            bundle["text/html"] = to_html(self._shown)
        if MIME in wanted:
            bundle[MIME] = self.document
        return bundle
