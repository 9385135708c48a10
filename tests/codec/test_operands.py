"""What opargs mean, where `dis` alone does not settle it."""

from __future__ import annotations

from typing import Any

import pytest

from coscope.codec import decode
from coscope.opcodes import VERSIONS, table
from tests.codec.samples import make


def test_kw_names_are_resolved_on_3_11() -> None:
    """The one deliberate difference: `dis` of 3.11 says that it does not know (UNKNOWN)."""
    code = make(("KW_NAMES", 1), version="3.11", consts=(None, ("key", "reverse")))

    assert ("key", "reverse") == decode(code)[0].argval
    assert "('key', 'reverse')" == decode(code)[0].argrepr


def test_kw_names_are_resolved_on_3_12() -> None:
    code = make(("KW_NAMES", 0), version="3.12", consts=(("end",),))

    assert ("end",) == decode(code)[0].argval


def test_return_const_is_resolved_on_3_12() -> None:
    code = make(("RETURN_CONST", 0), version="3.12", consts=("done",))

    assert "done" == decode(code)[0].argval


@pytest.mark.parametrize(
    ("version", "target"),
    [("3.11", 2 + 6), ("3.12", 2 + 2 + 6), ("3.13", 2 + 2 + 6), ("3.14", 2 + 2 + 6)],
)
def test_send_jumps_from_behind_its_caches(version: str, target: int) -> None:
    code = make(("SEND", 3), *[("NOP", 0)] * 6, version=version)

    assert target == decode(code)[0].jump_target
    assert target == decode(code)[0].argval
    assert frozenset({target}) == decode(code).jump_targets


@pytest.mark.parametrize(
    ("version", "name", "oparg", "target"),
    [
        ("3.8", "JUMP_ABSOLUTE", 4, 4),
        ("3.9", "JUMP_FORWARD", 4, 8),
        ("3.10", "JUMP_ABSOLUTE", 4, 8),
        ("3.10", "FOR_ITER", 3, 10),
        ("3.11", "JUMP_BACKWARD", 1, 2),
        ("3.12", "FOR_ITER", 2, 10),
        ("3.13", "JUMP_BACKWARD", 2, 2),
        ("3.13", "POP_JUMP_IF_NONE", 1, 8),
        ("3.14", "END_ASYNC_FOR", 1, 2),  # no jump, yet dis gives it a target
    ],
)
def test_jump_targets(version: str, name: str, oparg: int, target: int) -> None:
    code = make(("NOP", 0), (name, oparg), version=version)

    assert target == decode(code)[1].jump_target


@pytest.mark.parametrize(
    ("version", "name", "oparg", "value", "shown"),
    [
        ("3.11", "LOAD_GLOBAL", 3, "b", "b + NULL"),
        ("3.12", "LOAD_ATTR", 1, "a", "a + NULL|self"),
        ("3.13", "LOAD_SUPER_ATTR", 5, "b", "b + NULL|self"),
        ("3.15", "IMPORT_NAME", 5, "b", "b + lazy"),
        ("3.13", "LOAD_FAST_LOAD_FAST", 0x01, ("x", "y"), "x, y"),
        ("3.11", "LOAD_DEREF", 2, "z", "z"),
        ("3.10", "LOAD_DEREF", 0, "z", "z"),
        ("3.8", "COMPARE_OP", 6, "in", "in"),
        ("3.12", "COMPARE_OP", 2 << 4, "==", "=="),
        ("3.13", "COMPARE_OP", 2 << 5 | 16, "==", "bool(==)"),
        ("3.13", "BINARY_OP", 13, 13, "+="),
        ("3.13", "IS_OP", 1, 1, "is not"),
        ("3.9", "CONTAINS_OP", 0, 0, "in"),
        ("3.12", "FORMAT_VALUE", 6, (repr, True), "repr, with format"),
        ("3.13", "CONVERT_VALUE", 1, str, "str"),
        ("3.13", "SET_FUNCTION_ATTRIBUTE", 8, 8, "closure"),
        ("3.14", "LOAD_SMALL_INT", 7, 7, "7"),
        ("3.14", "LOAD_COMMON_CONSTANT", 0, 0, "AssertionError"),
        ("3.15", "LOAD_COMMON_CONSTANT", 0, AssertionError, "AssertionError"),
        ("3.15", "LOAD_COMMON_CONSTANT", 8, "", "''"),
    ],
)
def test_meanings(version: str, name: str, oparg: int, value: Any, shown: str) -> None:
    code = make(
        (name, oparg),
        version=version,
        names=("a", "b"),
        varnames=("x", "y"),
        cellvars=("z",),
        localsplusnames=("x", "y", "z"),
    )
    instruction = decode(code)[0]

    assert (value, shown) == (instruction.argval, instruction.argrepr)


def test_a_place_that_one_came_from_is_no_target() -> None:
    code = make(("NOP", 0), ("END_ASYNC_FOR", 1), version="3.14")

    assert "from 2" == decode(code)[1].argrepr


def test_the_import_of_a_package_itself_has_no_name() -> None:
    """`from . import x` inside of a function."""
    code = make(("IMPORT_NAME", 2), ("IMPORT_NAME", 0), version="3.15", names=("",))

    assert ["+ eager", ""] == [each.argrepr for each in decode(code)]


@pytest.mark.parametrize("version", ["3.8", "3.11", "3.13", "3.15"])
def test_a_comparison_outside_of_the_list_says_so(version: str) -> None:
    shift = table(version).numbers.get("compare_shift", 0)
    first, outside = 0, len(table(version).lists["compare"])
    code = make(*[("COMPARE_OP", index << shift) for index in (first, outside)], version=version)

    shown = f"<comparison {outside}: out of range>"
    assert ["<", shown] == [each.argrepr for each in decode(code)]


def test_cells_come_before_free_variables() -> None:
    """xdis swaps them for 3.8 to 3.10."""
    units = [("LOAD_DEREF", 0), ("LOAD_DEREF", 1)]
    for version in ("3.8", "3.9", "3.10"):
        code = make(*units, version=version, cellvars=("cell",), freevars=("free",))

        assert ["cell", "free"] == [i.argval for i in decode(code)]


OUTSIDE = {
    "const": "<const 255: out of range>",
    "name": "<name 255: out of range>",
    "local": "<local 255: out of range>",
    "deref": "<cell 255: out of range>",
}


@pytest.mark.parametrize("version", VERSIONS)
def test_an_index_outside_its_list_means_itself(version: str) -> None:
    rows = {row.operand: row for row in table(version).opcodes.values() if row.operand in OUTSIDE}
    code = make(*[(row.code, 255) for row in rows.values()], version=version)

    assert [255] * len(rows) == [i.argval for i in decode(code)]
    assert [OUTSIDE[kind] for kind in rows] == [i.argrepr for i in decode(code)]
