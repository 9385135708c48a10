"""VER101 to VER106: opcodes, caches, prefixes, jump targets, the end of the code."""

from __future__ import annotations

import pytest

from coscope.opcodes import VERSIONS, table
from tests.verifier.building import (
    FULL,
    built,
    changed,
    edited,
    found,
    genuine,
    offsets,
    place,
    snippets,
)

EACH = pytest.mark.parametrize("version", VERSIONS)
EACH_FULL = pytest.mark.parametrize("version", FULL)


@EACH
def test_an_opcode_that_the_version_does_not_define(version: str) -> None:
    unknown = table(version).by_code.index(None)
    code = genuine(version, "raised")
    at = place(code, "LOAD_GLOBAL")
    broken = changed(code, code=code.code[:at] + bytes([unknown]) + code.code[at + 1 :])

    assert at in offsets(broken, "VER101")
    assert [] == found(code, "VER101")


@EACH_FULL
def test_an_opcode_that_only_the_interpreter_writes(version: str) -> None:
    code = genuine(version, "raised")
    rows = table(version).opcodes.values()
    forms = {row.form: row.name for row in rows if row.form != "base" and row.caches < 2}
    for form, name in forms.items():
        broken = edited(code, "LOAD_GLOBAL", opname=name)

        assert form in found(broken, "VER101")[0].message
        assert name == found(broken, "VER101")[0].found


@EACH_FULL
def test_a_cache_that_is_not_zero(version: str) -> None:
    code = genuine(version, "raised")
    size = 2 * table(version).opcodes["LOAD_GLOBAL"].caches
    broken = edited(code, "LOAD_GLOBAL", caches=bytes(size - 1) + b"\1")

    assert [place(code, "LOAD_GLOBAL")] == offsets(broken, "VER102")


@EACH_FULL
def test_a_zero_oparg_does_not_hide_a_cache(version: str) -> None:
    size = 2 * table(version).opcodes["LOAD_GLOBAL"].caches
    code = built(version, ("RESUME", 0), ("LOAD_GLOBAL", 0), "RETURN_VALUE")
    broken = edited(code, "LOAD_GLOBAL", caches=bytes([0, 5]) + bytes(size - 2))

    assert [place(code, "LOAD_GLOBAL")] == offsets(broken, "VER102")
    assert [] == found(code, "VER102")


@EACH_FULL
def test_a_cache_that_is_cut_off(version: str) -> None:
    code = built(version, ("RESUME", 0), ("LOAD_GLOBAL", 0))
    broken = changed(code, code=code.code[:-2])

    assert [place(code, "LOAD_GLOBAL")] == offsets(broken, "VER102")


@EACH
def test_prefixes(version: str) -> None:
    prefix = "EXTENDED_ARG"

    def lasting(*opargs: int) -> list[str]:
        instructions = [(prefix, oparg) for oparg in opargs]
        code = built(version, *instructions, ("LOAD_CONST", 0), "RETURN_VALUE")
        return [violation.message for violation in found(code, "VER103")]

    nothing = ["a first EXTENDED_ARG prefix adds nothing"] if version in FULL else []

    assert nothing == lasting(0)
    assert nothing == lasting(0, 1)
    assert [] == lasting(1, 0, 0)
    assert [] == lasting(0x7F, 0xFF, 0xFF)
    assert ["too many EXTENDED_ARG prefixes in a row"] == lasting(1, 0, 0, 0)
    assert ["the oparg has more than 31 bits"] == lasting(0x80, 0, 0)


@EACH
def test_a_prefix_at_the_end(version: str) -> None:
    code = built(version, ("LOAD_CONST", 0), "RETURN_VALUE", ("EXTENDED_ARG", 1))

    assert [4] == offsets(code, "VER103")


@pytest.mark.parametrize(
    ("oparg", "to"), [(100, "an offset in 0 to"), (1, "the start of an instruction")]
)
@EACH_FULL
def test_a_jump_to_no_instruction(version: str, oparg: int, to: str) -> None:
    code = built(
        version, ("JUMP_FORWARD", oparg), ("EXTENDED_ARG", 0), ("LOAD_CONST", 0), "RETURN_VALUE"
    )
    broken = found(code, "VER104")

    assert [0] == [violation.offset for violation in broken]
    assert str(broken[0].expected).startswith(to)


@EACH_FULL
def test_a_jump_into_a_cache(version: str) -> None:
    code = built(version, ("JUMP_FORWARD", 1), ("LOAD_GLOBAL", 0), "RETURN_VALUE")

    assert [0] == offsets(code, "VER104")


@EACH
def test_a_jump_in_dead_code_counts_too(version: str) -> None:
    code = built(version, ("LOAD_CONST", 0), "RETURN_VALUE", ("JUMP_FORWARD", 60))

    assert [4] == offsets(code, "VER104")


@EACH
def test_jumps_that_lead_to_instructions_are_accepted(version: str) -> None:
    codes = [code for module in snippets(version) for code in module.walk()]

    assert any(code.instructions.jump_targets for code in codes)
    assert [] == [violation for code in codes for violation in found(code, "VER104")]


@pytest.mark.parametrize("version", ["3.14", "3.15"])
def test_a_jump_source_that_is_no_instruction(version: str) -> None:
    code = next(
        code
        for module in snippets(version)
        for code in module.walk()
        if any(found.opname == "END_ASYNC_FOR" for found in code.instructions)
    )
    oparg = code.instructions.at(place(code, "END_ASYNC_FOR")).arg or 0
    broken = edited(code, "END_ASYNC_FOR", oparg=oparg + 100)

    assert [] == offsets(code, "VER104")
    assert [place(broken, "END_ASYNC_FOR")] == offsets(broken, "VER104")


@EACH
def test_control_that_falls_off_the_end(version: str) -> None:
    code = built(version, ("LOAD_CONST", 0), "RETURN_VALUE")
    short = changed(code, code=code.code[:-2])

    assert [0] == offsets(short, "VER105")
    assert [] == offsets(code, "VER105")


@pytest.mark.parametrize(("version", "expected"), [("3.8", []), ("3.11", [4]), ("3.14", [4])])
def test_dead_code_at_the_end(version: str, expected: list[int]) -> None:
    code = built(version, ("LOAD_CONST", 0), "RETURN_VALUE", "POP_TOP")

    assert expected == offsets(code, "VER105")


@EACH
@pytest.mark.parametrize("size", [0, 3])
def test_code_of_no_or_half_units(version: str, size: int) -> None:
    code = built(version, ("LOAD_CONST", 0), "RETURN_VALUE")
    broken = found(changed(code, code=code.code[:size]), "VER106")

    assert [f"{size} bytes"] == [violation.found for violation in broken]
    assert [] == found(code, "VER106")
