"""Location tables of 3.11 and later: decoding, encoding, and what is refused."""

from __future__ import annotations

import pytest

from coscope.codec import Location, decode_locations, encode_locations
from coscope.errors import CodeError, TruncatedTable
from coscope.model import Span


@pytest.mark.parametrize(
    ("span", "size"),
    [
        (Span(7, 7, 79, 94), 2),  # short form
        (Span(7, 7, 80, 81), 3),  # one line: the column does not fit the short form
        (Span(9, 9, 0, 127), 3),  # one line, two further down
        (Span(9, 9, 0, 128), 6),  # long: columns from 128 up do not fit one line
        (Span(10, 10, 0, 1), 5),  # long: three lines further down
        (Span(6, 6, 0, 1), 5),  # long: one line up
        (Span(7, 8, 0, 1), 5),  # long: two lines
        (Span(9, 9), 2),  # no columns
        (Span(), 1),  # nothing
    ],
)
def test_each_span_takes_the_compilers_form(span: Span, size: int) -> None:
    table = encode_locations([Location(1, span)], 7)

    assert size == len(table)
    assert [Location(1, span)] == decode_locations(table, 7)


def test_a_long_run_is_split_into_entries_of_eight_units() -> None:
    span = Span(3, 3, 4, 5)
    table = encode_locations([(19, span)], 3)  # type: ignore[list-item]

    assert [Location(8, span), Location(8, span), Location(3, span)] == decode_locations(table, 3)


def test_neighbours_with_equal_spans_stay_apart() -> None:
    span = Span(3, 3, 4, 5)
    locations = [Location(2, span), Location(1, span)]

    assert locations == decode_locations(encode_locations(locations, 3), 3)


def test_every_truncation_inside_an_entry_is_named() -> None:
    head = encode_locations([Location(3, Span(1, 1, 2, 3))], 1)
    tail = encode_locations([Location(1, Span(500, 900, 200, 300))], 1)
    for size in range(1, len(tail)):
        with pytest.raises(TruncatedTable) as caught:
            decode_locations(head + tail[:size], 1, name="outer.f")

        assert ("outer.f", 6) == (caught.value.code, caught.value.offset)


@pytest.mark.parametrize(
    "table",
    [b"\x00\x00", bytes([0x81, 0x2C, 0x00]), bytes([0xF8 - 8]) + b"\x7f" * 50],
    ids=["no entry", "bytes between entries", "number without end"],
)
def test_what_is_no_entry_is_refused(table: bytes) -> None:
    with pytest.raises(CodeError) as caught:
        decode_locations(table, 1)

    assert not isinstance(caught.value, TruncatedTable)


@pytest.mark.parametrize("span", [Span(5, 4, 0, 0), Span(5, 5, -1, 3)])
def test_what_the_table_cannot_hold_is_refused(span: Span) -> None:
    with pytest.raises(CodeError, match="not an encodable location"):
        encode_locations([Location(1, span)], 1)
