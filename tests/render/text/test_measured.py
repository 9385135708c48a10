"""Escaping, measuring and shortening of text."""

from __future__ import annotations

import pytest

from coscope.render.text.measured import (
    ASCII,
    Pen,
    cells,
    escape,
    shorten,
    to_ascii,
    without_surrogates,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("\x9b31m", "\\x9b31m"),
        ("bell\x07", "bell\\x07"),
        ("a\r\nb\tc", "a\\r\\nb\\tc"),
        ("\u202eevil\u2066", "\\u202eevil\\u2066"),
        ("\u200b\u2028", "\\u200b\\u2028"),
        ("\udc80", "\\udc80"),
        ("\U000e0001", "\\U000e0001"),
        ("日本é", "日本é"),
    ],
)
def test_what_a_terminal_could_obey_is_escaped(text: str, expected: str) -> None:
    assert expected == escape(text)


def test_escaping_twice_changes_nothing() -> None:
    text = "\x1b\u202e\udcff\\x1b"

    assert escape(text) == escape(escape(text))


def test_every_sign_of_ours_has_an_ascii_form() -> None:
    signs = "".join(ASCII)

    assert to_ascii(signs) == "".join(ASCII.values())
    assert to_ascii(signs).isascii()


def test_surrogates_get_an_utf8_form() -> None:
    assert "a\\ud800b" == without_surrogates("a\ud800b")


@pytest.mark.parametrize(
    ("text", "size"), [("abc", 3), ("日本", 4), ("e\u0301", 1), ("…", 1), ("", 0)]
)
def test_cells(text: str, size: int) -> None:
    assert size == cells(text)


@pytest.mark.parametrize("keep", ["start", "end", "both"])
@pytest.mark.parametrize("ellipsis", ["…", "..."])
@pytest.mark.parametrize("text", ["abcdefghijklmnop", "日本日本日本日本", "a日b本c日d本"])
@pytest.mark.parametrize("width", range(20))
def test_shortened_text_fits_and_is_as_wide_as_it_can(
    text: str, width: int, ellipsis: str, keep: str
) -> None:
    found = shorten(text, width, keep=keep, ellipsis=ellipsis)

    assert cells(found) <= width
    if width > len(ellipsis) + 2:
        assert cells(found) >= min(cells(text), width - 2)


def test_padded_text_is_exactly_as_wide_as_asked() -> None:
    pen = Pen(100)

    assert [8] * 3 == [cells(pen.pad(text, 8)) for text in ("日", "a\x1b", "a long text")]


def test_a_page_is_never_narrower_than_60_cells() -> None:
    assert 60 == Pen(10).width
