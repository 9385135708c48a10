"""`decode`: what the columns say of plain and of hostile bytecode."""

from __future__ import annotations

from dataclasses import replace

import pytest

from coscope.codec import decode
from coscope.errors import CodeError
from coscope.model import Span
from tests.codec.samples import EMPTY, make


def test_caches_are_stepped_over() -> None:
    columns = decode(make(("LOAD_FAST", 0), ("LOAD_ATTR", 2), ("RETURN_VALUE", 0)))

    assert [0, 2, 22] == list(columns.offsets)
    assert 22 == columns[1].end_offset


def test_caches_may_hold_anything() -> None:
    plain = make(("LOAD_GLOBAL", 1), ("POP_TOP", 0))
    warm = replace(plain, code=plain.code[:2] + b"\x11\x22" * 4 + plain.code[-2:])

    assert list(decode(plain).offsets) == list(decode(warm).offsets)
    assert [1, 0] == list(decode(warm).opargs)


def test_a_cache_of_zero_opcode_and_other_oparg_is_no_instruction() -> None:
    plain = make(("BINARY_OP", 0), ("POP_TOP", 0))
    odd = replace(plain, code=plain.code[:3] + b"\x05" + plain.code[4:])

    assert [0, 4] == list(decode(odd).offsets)
    assert [0, 0] == list(decode(odd).opargs)


def test_specialised_opcodes_are_stepped_over_as_their_base() -> None:
    columns = decode(make(("LOAD_ATTR_SLOT", 0), ("INSTRUMENTED_CALL", 1), ("POP_TOP", 0)))

    assert ["LOAD_ATTR_SLOT", "INSTRUMENTED_CALL", "POP_TOP"] == [i.opname for i in columns]
    assert [0, 20, 28] == list(columns.offsets)


def test_extended_arg_is_an_instruction_of_its_own() -> None:
    code = make(("EXTENDED_ARG", 1), ("EXTENDED_ARG", 2), ("LOAD_CONST", 3))

    assert [1, 0x102, 0x10203] == [i.arg for i in decode(code)]


def test_an_oparg_wraps_like_a_c_int() -> None:
    code = make(*[("EXTENDED_ARG", 255)] * 3, ("LOAD_CONST", 254))

    assert -2 == decode(code)[-1].arg


def test_an_overlong_chain_of_prefixes_keeps_the_low_bits() -> None:
    code = make(*[("EXTENDED_ARG", 1)] * 6, ("LOAD_CONST", 7))

    assert 0x01010107 == decode(code)[-1].arg


def test_a_prefix_ends_at_an_opcode_without_argument() -> None:
    code = make(("EXTENDED_ARG", 1), ("NOP", 0), ("LOAD_CONST", 7))

    assert [1, None, 7] == [i.arg for i in decode(code)]


def test_an_undefined_number_has_a_name_and_one_unit() -> None:
    columns = decode(make((199, 5), ("NOP", 0), version="3.8"))

    assert [("<199>", 5), ("NOP", None)] == [(i.opname, i.arg) for i in columns]


def test_an_oparg_that_is_not_used_does_not_show() -> None:
    columns = decode(make(("NOP", 9)))

    assert (None, 0) == (columns[0].arg, columns.opargs[0])


def test_half_a_code_unit_is_refused() -> None:
    with pytest.raises(CodeError) as caught:
        decode(replace(EMPTY, code=b"\x09\0\x09"))

    assert ("outer.f", 2) == (caught.value.code, caught.value.offset)


def test_columns_are_a_sequence() -> None:
    columns = make(("NOP", 0), ("POP_TOP", 0), ("RETURN_VALUE", 0)).instructions

    assert 3 == len(columns)
    assert ["POP_TOP", "RETURN_VALUE"] == [i.opname for i in columns[1:]]  # type: ignore[index]
    assert "RETURN_VALUE" == columns[-1].opname
    assert columns[0] in list(columns)
    with pytest.raises(IndexError):
        columns[3]


def test_an_instruction_is_found_by_its_offset() -> None:
    columns = decode(make(("LOAD_GLOBAL", 1), ("POP_TOP", 0)))

    assert "POP_TOP" == columns.at(10).opname
    with pytest.raises(CodeError, match="no instruction begins here"):
        columns.at(4)


def test_a_short_line_table_leaves_the_rest_without_position() -> None:
    code = replace(make(("NOP", 0), ("NOP", 0)), linetable=bytes([0x80, 0x01]))

    assert [Span(1, 1, 0, 1), Span()] == decode(code).positions
