"""Names, strings and file names of untrusted files, on every page that shows them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from coscope.model import Code, Function
from coscope.readers import read
from coscope.render.card import Card
from coscope.render.document.report import report
from coscope.render.drawings.to_dot import to_dot
from coscope.render.drawings.to_mermaid import to_mermaid
from coscope.render.pages.sheets import card_sheet, graph_sheet, listing_sheet
from coscope.render.text.measured import Pen
from coscope.render.to_html import to_html

EVIL = "\x1b]0;title\x07\x1b[2J\u202e\udc80\x9b<script>\"[red]'\\\n`|"


def evil() -> Function:
    function = read(host)
    code: Code = function.code
    return replace(
        function,
        qualname=EVIL,
        module=EVIL,
        source=None,
        warnings=(EVIL,),
        via=(EVIL,),
        code=replace(
            code,
            name=EVIL,
            qualname=EVIL,
            filename=EVIL,
            consts=(EVIL, *code.consts[1:], EVIL),
            names=tuple(EVIL + name for name in code.names),
            varnames=tuple(EVIL + name for name in code.varnames),
            localsplusnames=tuple(EVIL + name for name in code.localsplusnames),
        ),
    )


def host(first: Any, second: Any) -> Any:
    if first.attribute and second:
        return print(first)
    return lambda: first


PAGES = {
    "card": lambda found: str(card_sheet(found, Pen(100))),
    "ascii": lambda found: str(card_sheet(found, Pen(100, ascii=True))),
    "listing": lambda found: str(listing_sheet(found, Pen(100))),
    "graph": lambda found: str(graph_sheet(found, Pen(100))),
    "mermaid": to_mermaid,
    "dot": to_dot,
    "html": to_html,
}


@pytest.mark.parametrize("page", PAGES)
def test_nothing_that_a_terminal_obeys_gets_through(page: str) -> None:
    text = PAGES[page](report(evil(), detail="all", fields=True))

    assert set() == {c for c in text if not c.isprintable()} - {"\n"}
    assert text == text.encode("utf-8").decode("utf-8")


def test_html_holds_no_markup_of_the_names() -> None:
    text = to_html(report(evil()))

    assert "<script" not in text
    assert "&lt;script&gt;" in text


def test_mermaid_labels_hold_nothing_that_ends_them() -> None:
    text = to_mermaid(report(evil(), detail="all"))

    assert all(line.count('"') in (0, 2) for line in text.splitlines())


def test_rich_takes_nothing_for_markup() -> None:
    console = pytest.importorskip("rich.console")
    function = read(lambda: "[bold red]x[/bold red] :smile:")
    made = console.Console(width=100, force_terminal=True, color_system="truecolor")
    with made.capture() as capture:
        made.print(Card(function))

    assert "[bold red]x[/bold red] :smile:" in capture.get()
