"""`Card`: text, HTML and document of one function."""

from __future__ import annotations

import html.parser
import json
from pathlib import Path

import pytest

from coscope.readers import Snippet, read
from coscope.render.card import MIME, Card
from coscope.render.pages.sheets import card_sheet
from coscope.render.text.measured import Pen
from tests.render.documents import DATA


def test_a_card_prints_as_its_page() -> None:
    text = str(Card(read(json.dumps)))

    assert "json.dumps" in text.splitlines()[0]
    assert repr(Card(read(json.dumps))) == text
    assert max(map(len, text.splitlines())) <= 100


def test_the_bundle_has_text_html_and_the_document() -> None:
    card = Card(read(json.dumps))
    bundle = card._repr_mimebundle_()

    assert {"text/plain", "text/html", MIME} == set(bundle)
    assert card.document == bundle[MIME]
    assert {"text/html"} == set(card._repr_mimebundle_(include=["text/html"]))
    assert {MIME, "text/plain"} == set(card._repr_mimebundle_(exclude=["text/html"]))


class Balance(html.parser.HTMLParser):
    """Collects what is opened and never closed, or closed and never opened."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.wrong: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)


@pytest.mark.parametrize(
    "name", ["sample-3.13.pyc", "sample-3.8.pyc::load", "sample-3.12.pyc::wide"]
)
def test_html_is_balanced_and_self_contained(name: str) -> None:
    text = Card(read(str(DATA / name)))._repr_mimebundle_()["text/html"]
    balance = Balance()
    balance.feed(text)

    assert ([], []) == (balance.open, balance.wrong)
    assert not any(word in text for word in ("http:", "https:", "src=", "<script", "@import"))


def test_a_file_is_shown_as_its_tree() -> None:
    text = str(Card(read(Path(DATA / "sample-3.13.pyc"))))

    assert "├ outer" in text
    assert "LOAD_" not in text


def test_rich_shows_the_card_in_the_width_that_it_has() -> None:
    console = pytest.importorskip("rich.console")
    made = console.Console(width=80, no_color=True)
    with made.capture() as capture:
        made.print(Card(read(json.dumps)))

    assert 80 == max(map(len, capture.get().splitlines()))


def test_a_long_page_is_never_held_as_a_whole() -> None:
    """The lines of a listing are made while they are written, each time anew and the same."""
    import tracemalloc

    body = "".join(f"    x = f(x + {at}) * {at}\n" for at in range(2_000))
    document = Card(Snippet(f"def f(x):\n{body}", "long.py", "f")).document
    tracemalloc.start()
    sheet = card_sheet(document, Pen(100))
    size = sum(map(len, sheet.texts()))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert size > 1_000_000
    assert most < size
    assert str(sheet) == str(sheet)
