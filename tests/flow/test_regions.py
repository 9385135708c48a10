"""Protected regions, above all those of the block stack (to 3.10)."""

from __future__ import annotations

import pytest

from coscope.codec import decode_regions
from coscope.flow import find_regions
from coscope.model import Region
from tests.flow.building import built, snippet

BLOCKS = pytest.mark.parametrize("version", ["3.8", "3.9", "3.10"])
TABLES = pytest.mark.parametrize("version", ["3.11", "3.12", "3.13", "3.14", "3.15"])


@TABLES
def test_from_311_they_are_the_exception_table(version: str) -> None:
    code = snippet(version, "exceptions")["nested"]

    assert decode_regions(code.exceptiontable) == list(find_regions(code))


def test_a_setup_protects_up_to_its_pop_block() -> None:
    code = built(
        "3.9",
        [
            ("LOAD_NAME", 0),
            ("SETUP_FINALLY", 6),
            ("LOAD_NAME", 1),
            ("POP_TOP", 0),
            ("POP_BLOCK", 0),
            ("RERAISE", 0),
        ],
    )

    assert (Region(start=4, stop=10, target=10, depth=1, keeps_lasti=False),) == find_regions(code)


def test_an_inner_block_interrupts_the_outer_one() -> None:
    code = built(
        "3.9",
        [
            ("SETUP_FINALLY", 14),
            ("LOAD_NAME", 0),
            ("SETUP_FINALLY", 8),
            ("LOAD_NAME", 1),
            ("POP_BLOCK", 0),
            ("POP_BLOCK", 0),
            ("RETURN_VALUE", 0),
            ("RERAISE", 0),
            ("RERAISE", 0),
        ],
    )

    assert [(2, 6, 16), (6, 10, 14), (10, 12, 16), (14, 16, 16)] == [
        (region.start, region.stop, region.target) for region in find_regions(code)
    ]
    assert [0, 1, 0, 0] == [region.depth for region in find_regions(code)]


@BLOCKS
def test_with_keeps_the_exit_function(version: str) -> None:
    code = snippet(version, "withs")["plain"]
    found = find_regions(code)

    assert 1 == found[0].depth
    assert "SETUP_WITH" == code.instructions[code.instructions.at(found[0].start).index - 1].opname
