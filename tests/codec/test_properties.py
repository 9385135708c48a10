"""Properties of the codec, by Hypothesis: what is encoded comes back, and any bytes are defined."""

from __future__ import annotations

from dataclasses import replace

import pytest

from coscope.codec import (
    Location,
    decode,
    decode_locations,
    decode_operations,
    decode_regions,
    encode_instructions,
    encode_locations,
    encode_regions,
)
from coscope.errors import CodeError, CoscopeError
from coscope.model import Region, Span
from coscope.opcodes import VERSIONS, table
from tests.codec.samples import EMPTY

pytest.importorskip("hypothesis")

from hypothesis import given
from hypothesis import strategies as st

OFFSETS = st.integers(0, 1 << 24).map(lambda unit: 2 * unit)
REGIONS = st.lists(
    st.builds(
        lambda start, length, *rest: Region(start, start + length, *rest),
        OFFSETS,
        OFFSETS,
        OFFSETS,
        st.integers(0, 1 << 20),
        st.booleans(),
    )
)


COLUMNS = st.integers(0, 300)
WITH_COLUMNS = st.builds(
    lambda line, height, column, end: Span(line, line + height, column, end),
    st.integers(0, 5000),
    st.integers(0, 70),
    COLUMNS,
    COLUMNS,
)
LINE_ONLY = st.integers(0, 5000).map(lambda line: Span(line, line))
LOCATIONS = st.lists(
    st.builds(Location, st.integers(1, 8), WITH_COLUMNS | LINE_ONLY | st.just(Span()))
)


BYTECODE = st.binary(max_size=80).map(lambda raw: raw[: len(raw) // 2 * 2])


@given(REGIONS)
def test_encoded_regions_are_decoded(regions: list[Region]) -> None:
    actual = decode_regions(encode_regions(regions))

    assert regions == actual


@given(st.binary(max_size=60))
def test_any_bytes_are_regions_or_refused(table: bytes) -> None:
    try:
        regions = decode_regions(table)
    except CodeError:
        return

    assert all(0 <= region.start <= region.stop for region in regions)


@given(LOCATIONS, st.integers(0, 5000))
def test_encoded_locations_are_decoded(locations: list[Location], first: int) -> None:
    actual = decode_locations(encode_locations(locations, first), first)

    assert locations == actual


@given(st.binary(max_size=40))
def test_any_bytes_are_locations_or_refused(table: bytes) -> None:
    try:
        locations = decode_locations(table, 1)
    except CodeError:
        return

    assert sum(byte >= 0x80 for byte in table) == len(locations)


@pytest.mark.parametrize("version", VERSIONS)
@given(raw=BYTECODE, lines=st.binary(max_size=20), regions=st.binary(max_size=20))
def test_any_bytes_have_defined_instructions(
    version: str, raw: bytes, lines: bytes, regions: bytes
) -> None:
    code = replace(EMPTY, version=version, code=raw, linetable=lines, exceptiontable=regions)
    columns = decode(code)
    for i in columns:
        str((i.opname, i.arg, i.argval, i.argrepr, i.end_offset, i.jump_target, i.is_jump_target))
    try:
        positions = columns.positions
        starts = [instruction.starts_line for instruction in columns]
    except CoscopeError:
        return

    assert [instruction.positions for instruction in columns] == positions
    assert len(starts) == len(columns)


@pytest.mark.parametrize("version", VERSIONS)
@given(raw=BYTECODE)
def test_any_bytecode_comes_back(version: str, raw: bytes) -> None:
    operations = decode_operations(replace(EMPTY, version=version, code=raw))

    assert raw == encode_instructions(operations, table(version))


@pytest.mark.parametrize("version", VERSIONS)
@given(raw=BYTECODE)
def test_operations_and_columns_agree(version: str, raw: bytes) -> None:
    code = replace(EMPTY, version=version, code=raw)
    rules = table(version)
    at = 0
    ends = []
    for operation in decode_operations(code):
        at += 2 * operation.units(rules)
        ends.append(at - 2 * rules.steps[operation.opcode])
    prefix = rules.extended_arg
    opcodes = decode(code).opcodes
    columns = [
        offset
        for index, offset in enumerate(decode(code).offsets)
        if opcodes[index] != prefix or index == len(opcodes) - 1
    ]

    assert columns == ends
