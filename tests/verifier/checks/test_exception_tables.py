"""VER501 to VER503: the bytes of the exception table, its places, and the block stack."""

from __future__ import annotations

import pytest

from coscope.codec import decode_regions, encode_regions
from coscope.model import Code, Region
from coscope.opcodes import table
from tests.verifier.building import FULL, built, changed, edited, found, genuine, offsets

EACH_FULL = pytest.mark.parametrize("version", FULL)
OLD = pytest.mark.parametrize("version", ["3.8", "3.9", "3.10"])


def _protected(version: str, *regions: Region) -> Code:
    nops = ["NOP"] * 20
    return built(version, ("RESUME", 0), *nops, ("LOAD_CONST", 0), "RETURN_VALUE", regions=regions)


def _entry(start: int, stop: int, target: int = 30) -> Region:
    return Region(start, stop, target, 0, False)


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ("81 42", "ends inside the entry"),
        ("81 02 05", "ends inside the entry"),
        ("81 40 02 05 00", "shortest form"),
        ("01 02 05 00", "shortest form"),
        ("81 82 05 00", "shortest form"),
        ("81 02 05 ff 7f 7f 7f 7f 7f 7f 00", "more than 32 bits"),
    ],
)
@EACH_FULL
def test_bytes_that_the_compiler_would_not_write(version: str, raw: str, message: str) -> None:
    code = changed(_protected(version), exceptiontable=bytes.fromhex(raw))

    assert message in found(code, "VER501")[0].message


@pytest.mark.parametrize(
    ("regions", "at", "message"),
    [
        ([_entry(4, 8), _entry(6, 10)], 6, "overlap"),
        ([_entry(12, 16), _entry(4, 8)], 4, "overlap"),
        ([_entry(4, 4)], 4, "empty"),
    ],
)
@EACH_FULL
def test_ranges_that_do_not_ascend(
    version: str, regions: list[Region], at: int, message: str
) -> None:
    violations = found(_protected(version, *regions), "VER501")

    assert [at] == [violation.offset for violation in violations]
    assert message in violations[0].message


@EACH_FULL
def test_ranges_that_touch_are_in_order(version: str) -> None:
    code = _protected(version, _entry(4, 8), _entry(8, 10))

    assert [] == found(code, "VER501") + found(code, "VER502")


@pytest.mark.parametrize("version", ["3.8", "3.10"])
def test_a_table_in_a_version_that_has_none(version: str) -> None:
    code = built(version, ("LOAD_CONST", 0), "RETURN_VALUE")

    assert [] == found(code, "VER501")
    assert 1 == len(found(changed(code, exceptiontable=b"\x81\2\5\0"), "VER501"))


@pytest.mark.parametrize(
    ("region", "what"),
    [
        (_entry(4, 8, 400), "handler"),
        (_entry(4, 400), "stop"),
        (_entry(402, 404), "start"),
    ],
)
@EACH_FULL
def test_places_outside_the_code(version: str, region: Region, what: str) -> None:
    violations = found(_protected(version, region), "VER502")

    assert any(f"the {what} of" in violation.message for violation in violations)
    assert all("an offset in 0 to" in str(violation.expected) for violation in violations)


@pytest.mark.parametrize(
    ("start", "stop", "target"), [(2, 4, 0), (0, 2, 0), (0, 4, 2)], ids=["start", "stop", "handler"]
)
@EACH_FULL
def test_places_inside_an_instruction(version: str, start: int, stop: int, target: int) -> None:
    code = built(
        version, "NOP", ("LOAD_GLOBAL", 0), "RETURN_VALUE", ("LOAD_GLOBAL", 0), "RETURN_VALUE"
    )
    second = code.instructions.offsets[3]  # the second LOAD_GLOBAL has caches behind it
    region = Region(second + start, second + stop, second + target, 0, False)
    violations = found(changed(code, exceptiontable=encode_regions([region])), "VER502")

    assert "the start of an instruction" in [violation.expected for violation in violations]


@EACH_FULL
def test_a_handler_behind_a_prefix(version: str) -> None:
    code = built(
        version, "NOP", ("EXTENDED_ARG", 0), ("LOAD_CONST", 0), "RETURN_VALUE",
        regions=[Region(0, 2, 4, 0, False)],
    )  # fmt: skip

    assert [0] == offsets(code, "VER502")


@EACH_FULL
def test_genuine_tables_are_accepted(version: str) -> None:
    code = genuine(version, "caught")

    assert 2 < len(decode_regions(code.exceptiontable))
    assert [] == found(code, "VER501") + found(code, "VER502")


@OLD
def test_a_block_that_was_never_opened(version: str) -> None:
    code = built(version, "NOP", "POP_BLOCK", ("LOAD_CONST", 0), "RETURN_VALUE")

    assert [2] == offsets(code, "VER503")


@OLD
def test_paths_with_different_blocks(version: str) -> None:
    unit = table(version).jump_unit
    code = built(
        version, ("LOAD_FAST", 0), ("POP_JUMP_IF_FALSE", 6 // unit), ("SETUP_FINALLY", 4 // unit),
        ("LOAD_CONST", 0), "RETURN_VALUE", ("LOAD_CONST", 0), "RETURN_VALUE",
    )  # fmt: skip

    assert "paths that meet disagree" in found(code, "VER503")[0].message
    assert [] == found(edited(code, "SETUP_FINALLY", opname="NOP"), "VER503")
    assert [] == found(genuine(version, "caught"), "VER503")
