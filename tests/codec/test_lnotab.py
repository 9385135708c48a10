"""Line tables of 3.8 to 3.10, and line starts of every version."""

from __future__ import annotations

from dataclasses import replace

import pytest

from coscope.codec import Location, encode_locations, line_starts
from coscope.codec.lnotab import decode_lnotab, decode_ranges
from coscope.errors import TruncatedTable
from coscope.model import Span
from tests.codec.samples import EMPTY


def test_lnotab_goes_up_and_down() -> None:
    expected = [(0, 8, 11), (8, 12, 13), (12, 20, 12)]

    assert expected == decode_lnotab(bytes([0, 1, 8, 2, 4, 0xFF]), 10, 20)


def test_lnotab_adds_up_deltas_that_do_not_fit_one_entry() -> None:
    expected = [(0, 255, 1), (255, 300, 1), (300, 400, 201)]

    assert expected == decode_lnotab(bytes([255, 0, 45, 127, 0, 73]), 1, 400)


def test_lnotab_ends_with_the_code() -> None:
    expected = [(0, 4, 1), (4, 6, 2)]

    assert expected == decode_lnotab(bytes([4, 1, 20, 1, 4, 1]), 1, 6)


def test_ranges_without_a_line() -> None:
    expected = [(0, 4, 11), (4, 6, None), (6, 12, 10)]

    assert expected == decode_ranges(bytes([4, 1, 2, 0x80, 6, 0xFF]), 10, 12)


@pytest.mark.parametrize("decode", [decode_lnotab, decode_ranges])
def test_half_an_entry_is_refused(decode: object) -> None:
    with pytest.raises(TruncatedTable) as caught:
        decode(b"\x02", 1, 10, name="outer.f")  # type: ignore[operator]

    assert "outer.f" == caught.value.code


# A line, code without a line, then the same line again.
INTERRUPTED = encode_locations(
    [Location(1, Span(1, 1, 0, 1)), Location(1, Span()), Location(1, Span(1, 1, 0, 1))], 1
)


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("3.11", {0: 1}),
        ("3.12", {0: 1}),
        ("3.13", {0: 1, 2: None, 4: 1}),
        ("3.14", {0: 1, 2: None, 4: 1}),
    ],
)
def test_code_without_a_line_starts_one_from_3_13(
    version: str, expected: dict[int, int | None]
) -> None:
    code = replace(EMPTY, version=version, code=b"\x09\0" * 3, linetable=INTERRUPTED)

    assert expected == line_starts(code)


def test_line_zero_starts_a_line() -> None:
    table = encode_locations([Location(1, Span(0, 1, 0, 0))], 0)
    code = replace(EMPTY, code=b"\x09\0", firstlineno=0, linetable=table)

    assert {0: 0} == line_starts(code)
