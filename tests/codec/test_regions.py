"""Exception tables: decoding, encoding, and what is refused."""

from __future__ import annotations

import pytest

from coscope.codec import decode_regions, encode_regions
from coscope.errors import CodeError, TruncatedTable
from coscope.model import Region


def test_every_truncation_inside_an_entry_is_named() -> None:
    whole = encode_regions([Region(2, 300, 1000, 1, True)])
    for size in range(1, len(whole)):
        with pytest.raises(TruncatedTable) as caught:
            decode_regions(whole[:size], name="outer.f")

        assert "outer.f" == caught.value.code


def test_a_number_without_end_is_refused() -> None:
    with pytest.raises(CodeError, match="more than 32 bits"):
        decode_regions(b"\x7f" * 100_000)


@pytest.mark.parametrize(
    "region",
    [Region(1, 4, 6, 0, False), Region(4, 2, 6, 0, False), Region(2, 4, 6, -1, False)],
    ids=["odd offset", "ends before it starts", "negative depth"],
)
def test_what_the_table_cannot_hold_is_refused(region: Region) -> None:
    with pytest.raises(CodeError, match="not an encodable region"):
        encode_regions([region])
