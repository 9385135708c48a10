"""`encode_instructions`: prefixes, caches, and what is refused."""

from __future__ import annotations

import pytest

from coscope.codec import Operation, decode_operations, encode_instructions
from coscope.errors import CodeError
from coscope.opcodes import table
from tests.codec.samples import make

RULES = table("3.13")
NOP = RULES.opcodes["NOP"].code
LOAD_CONST = RULES.opcodes["LOAD_CONST"].code
BINARY_OP = RULES.opcodes["BINARY_OP"].code
PREFIX = RULES.extended_arg


@pytest.mark.parametrize(
    ("oparg", "expected"),
    [
        (255, [LOAD_CONST, 255]),
        (256, [PREFIX, 1, LOAD_CONST, 0]),
        (0x10000, [PREFIX, 1, PREFIX, 0, LOAD_CONST, 0]),
    ],
)
def test_prefixes_are_as_few_as_the_oparg_needs(oparg: int, expected: list[int]) -> None:
    actual = encode_instructions([Operation(LOAD_CONST, oparg)], RULES)

    assert bytes(expected) == actual


def test_more_prefixes_can_be_asked_for() -> None:
    actual = encode_instructions([Operation(LOAD_CONST, 3, prefixes=2)], RULES)

    assert bytes([PREFIX, 0, PREFIX, 0, LOAD_CONST, 3]) == actual


def test_prefixes_that_were_not_needed_come_back() -> None:
    code = make(("EXTENDED_ARG", 0), ("LOAD_CONST", 3))

    assert [Operation(LOAD_CONST, 3, prefixes=1)] == decode_operations(code)


def test_caches_are_zero_unless_given() -> None:
    operations = [Operation(BINARY_OP, 0), Operation(BINARY_OP, 0, caches=b"\1\2")]

    assert bytes([BINARY_OP, 0, 0, 0, BINARY_OP, 0, 1, 2]) == encode_instructions(operations, RULES)


def test_units_count_prefixes_and_caches() -> None:
    assert 4 == Operation(BINARY_OP, 0x10000).units(RULES)


@pytest.mark.parametrize(
    "operation", [Operation(256), Operation(LOAD_CONST, -1), Operation(LOAD_CONST, 1 << 32)]
)
def test_what_no_code_unit_can_hold_is_refused(operation: Operation) -> None:
    with pytest.raises(CodeError) as caught:
        encode_instructions([Operation(NOP), operation], RULES)

    assert 2 == caught.value.offset
