"""VER601 to VER604: flags, RETURN_GENERATOR, surroundings, delegation."""

from __future__ import annotations

import pytest

from coscope.codec import encode_regions
from coscope.model import Flags, Region
from coscope.opcodes import table
from tests.verifier.building import (
    FULL,
    GENERATOR,
    built,
    changed,
    edited,
    found,
    genuine,
    offsets,
    place,
)

EACH_FULL = pytest.mark.parametrize("version", FULL)
PLAIN = Flags(0x3)
END = (("LOAD_CONST", 0), "RETURN_VALUE")


@EACH_FULL
def test_flags_without_a_generator(version: str) -> None:
    code = genuine(version, "raised")

    assert [] == found(code, "VER601")
    assert "nothing makes one" in found(changed(code, flags=GENERATOR), "VER601")[0].message


@EACH_FULL
def test_a_generator_without_flags(version: str) -> None:
    code = genuine(version, "delegated")

    assert [] == found(code, "VER601")
    assert [place(code, "RETURN_GENERATOR")] == offsets(changed(code, flags=PLAIN), "VER601")


@pytest.mark.parametrize("version", ["3.8", *FULL])
def test_flags_of_two_kinds(version: str) -> None:
    code = changed(genuine(version, "delegated"), flags=Flags(0xA3))

    assert ["GENERATOR and COROUTINE"] == [v.found for v in found(code, "VER601")]


@EACH_FULL
def test_a_generator_of_types_coroutine(version: str) -> None:
    code = changed(genuine(version, "delegated"), flags=Flags(0x123))

    assert [] == found(code, "VER601")


@EACH_FULL
def test_a_generator_that_is_made_twice(version: str) -> None:
    start = ("RETURN_GENERATOR", "POP_TOP")
    code = built(version, *start, *start, *END, flags=GENERATOR)

    assert [4] == offsets(code, "VER602")


@EACH_FULL
def test_a_generator_that_is_made_late(version: str) -> None:
    code = built(version, "NOP", "RETURN_GENERATOR", "POP_TOP", *END, flags=GENERATOR)

    assert ["NOP"] == [violation.found for violation in found(code, "VER602")]


@EACH_FULL
def test_a_jump_to_the_making_of_a_generator(version: str) -> None:
    code = built(version, "RETURN_GENERATOR", "POP_TOP", ("JUMP_BACKWARD", 0), flags=GENERATOR)
    jump = code.instructions[-1]
    back = (jump.end_offset - 0) // 2
    broken = edited(code, "JUMP_BACKWARD", oparg=back)
    to_body = edited(code, "JUMP_BACKWARD", oparg=back - 1)

    assert ["a jump to 0"] == [violation.found for violation in found(broken, "VER602")]
    assert [] == found(to_body, "VER602")


@pytest.mark.parametrize(
    "region", [Region(0, 4, 4, 0, False), Region(2, 4, 0, 0, False), Region(0, 2, 6, 0, False)]
)
@EACH_FULL
def test_a_handler_round_the_making_of_a_generator(version: str, region: Region) -> None:
    code = built(version, "RETURN_GENERATOR", "POP_TOP", *END, flags=GENERATOR)
    broken = changed(code, exceptiontable=encode_regions([region]))

    assert [0] == offsets(broken, "VER602")
    assert [] == found(code, "VER602")


@EACH_FULL
def test_what_needs_a_generator(version: str) -> None:
    rows = [row for row in table(version).opcodes.values() if row.form == "base"]
    for row in rows:
        if row.needs in ("generator", "async generator"):
            code = built(version, (row.name, 1), flags=PLAIN)

            assert [0] == offsets(code, "VER603"), row.name
            assert [] == found(changed(code, flags=Flags(0x203)), "VER603")
            in_generator = found(changed(code, flags=GENERATOR), "VER603")
            assert (row.needs == "async generator") == bool(in_generator)

    assert {"YIELD_VALUE", "RETURN_GENERATOR"} <= {row.name for row in rows if row.needs}


@pytest.mark.parametrize(
    ("version", "name", "oparg"),
    [
        ("3.11", "LOAD_CLASSDEREF", 0),
        ("3.11", "IMPORT_STAR", 0),
        ("3.12", "CALL_INTRINSIC_1", 2),
        ("3.14", "CALL_INTRINSIC_1", 2),
    ],
)
def test_what_needs_a_mapping_of_locals(version: str, name: str, oparg: int) -> None:
    code = built(version, (name, oparg))

    assert [0] == offsets(code, "VER603")
    assert [] == found(changed(code, flags=Flags(0)), "VER603")


@pytest.mark.parametrize(("oparg", "flags"), [(3, 0x23), (4, 0x203)])
@pytest.mark.parametrize("version", ["3.12", "3.13", "3.14", "3.15"])
def test_intrinsics_that_need_a_generator(version: str, oparg: int, flags: int) -> None:
    code = built(version, ("CALL_INTRINSIC_1", oparg))
    name = table(version).lists["intrinsic_1"][oparg]

    assert [True] == [name in violation.message for violation in found(code, "VER603")]
    assert [] == found(changed(code, flags=Flags(flags)), "VER603")
    assert [] == found(built(version, ("CALL_INTRINSIC_1", 5)), "VER603")


@EACH_FULL
@pytest.mark.parametrize("name", ["delegated", "simple", "awaited"])
def test_genuine_delegation(version: str, name: str) -> None:
    assert [] == found(genuine(version, name), "VER604")


@EACH_FULL
def test_delegation_to_nothing(version: str) -> None:
    code = built(
        version, "RETURN_GENERATOR", "POP_TOP", *(("LOAD_CONST", 0), ("YIELD_VALUE", 1)),
        ("RESUME", 2), "POP_TOP", *END, flags=GENERATOR,
    )  # fmt: skip
    violations = found(code, "VER604")

    assert "nothing lies below" in violations[0].message
    assert {place(code, "YIELD_VALUE")} == {violation.offset for violation in violations}


@EACH_FULL
def test_delegation_to_null(version: str) -> None:
    code = built(
        version, "RETURN_GENERATOR", "POP_TOP", "PUSH_NULL",
        *(["PUSH_NULL"] * (version == "3.15")), ("LOAD_CONST", 0), ("YIELD_VALUE", 1),
        ("RESUME", 2), *END, flags=GENERATOR,
    )  # fmt: skip

    assert "NULL" == found(code, "VER604")[0].found


@pytest.mark.parametrize(
    ("version", "yields", "resumes"),
    [("3.11", 0, 1), ("3.12", 1, 1), ("3.13", 0, 5), ("3.14", 0, 5), ("3.15", 0, 9)],
)
def test_a_plain_yield_needs_nothing_below(version: str, yields: int, resumes: int) -> None:
    code = built(
        version, "RETURN_GENERATOR", "POP_TOP", ("LOAD_CONST", 0), ("YIELD_VALUE", yields),
        ("RESUME", resumes), "POP_TOP", *END, flags=GENERATOR,
    )  # fmt: skip

    assert [] == found(code, "VER604")


@pytest.mark.parametrize(
    ("name", "oparg", "problem"),
    [
        ("SEND", 2, "a SEND to 18"),
        ("JUMP_BACKWARD_NO_INTERRUPT", 3, "a jump back to 14"),
        ("JUMP_BACKWARD_NO_INTERRUPT", 2, "a jump back to 16"),
    ],
)
def test_the_loop_that_throw_takes_for_granted(name: str, oparg: int, problem: str) -> None:
    code = edited(genuine("3.11", "delegated"), name, oparg=oparg)

    assert [problem] == [violation.found for violation in found(code, "VER604")]


def test_a_jump_to_the_yield_alone() -> None:
    code = built(
        "3.11", "RETURN_GENERATOR", "POP_TOP", ("LOAD_FAST", 0), ("LOAD_CONST", 0), ("SEND", 3),
        "YIELD_VALUE", ("RESUME", 2), ("JUMP_BACKWARD_NO_INTERRUPT", 4), "RETURN_VALUE",
        ("LOAD_FAST", 1), ("LOAD_CONST", 0), ("JUMP_BACKWARD_NO_INTERRUPT", 7), flags=GENERATOR,
    )  # fmt: skip

    assert 10 == place(code, "YIELD_VALUE")
    assert ["a jump to 10"] == [violation.found for violation in found(code, "VER604")]


def test_throw_finds_no_send_before_the_yield() -> None:
    code = edited(genuine("3.11", "delegated"), "SEND", opname="POP_JUMP_FORWARD_IF_NONE")
    no_loop = built(
        "3.11", "RETURN_GENERATOR", "POP_TOP", ("LOAD_FAST", 0), ("LOAD_CONST", 0),
        "YIELD_VALUE", ("RESUME", 2), "POP_TOP", "RETURN_VALUE", flags=GENERATOR,
    )  # fmt: skip

    assert [] == found(genuine("3.11", "delegated"), "VER604")
    for broken in (code, no_loop):
        assert "throw() does the jump" in found(broken, "VER604")[-1].message


def test_a_handler_for_a_part_of_the_loop() -> None:
    code = genuine("3.11", "delegated")
    jump = place(code, "JUMP_BACKWARD_NO_INTERRUPT")
    table_ = encode_regions([Region(jump, jump + 2, len(code.code) - 4, 0, False)])

    assert ["an exception handler for a part of it"] == [
        violation.found for violation in found(changed(code, exceptiontable=table_), "VER604")
    ]
