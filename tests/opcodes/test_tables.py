"""The tables of CPython 3.12 to 3.15 against those interpreters themselves."""

from __future__ import annotations

import dataclasses
import json
import sys
import tomllib
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest

from coscope.opcodes import Opcode, Table, from_toml, table
from tests import interpreters
from tools.opcodes import ask, differences, draft
from tools.opcodes_probe import OPARGS, facts

EACH = pytest.mark.parametrize("version", ["3.12", "3.13", "3.14", "3.15"])


@cache
def told(version: str) -> dict[str, Any]:
    """What the interpreter of this version tells of its opcodes."""
    if sys.platform == "emscripten" and version == ".".join(map(str, sys.version_info[:2])):
        answer: dict[str, Any] = json.loads(json.dumps(facts()))
        return answer
    return ask(interpreters.require(version))


def base_rows(version: str) -> list[Opcode]:
    return [row for row in table(version).opcodes.values() if row.form in ("base", "internal")]


@EACH
def test_the_interpreter_agrees_with_the_table(version: str) -> None:
    """Numbers, forms, caches, operands, jumps, lists, and the effect of every opcode and oparg."""
    assert [] == differences(table(version), told(version))


@EACH
def test_the_interpreter_has_the_last_magic_number_and_it_is_a_release(version: str) -> None:
    assert told(version)["magic"] == table(version).magics[-1]
    assert (told(version)["magic"],) == table(version).release_magics


@EACH
def test_the_table_was_checked_at_the_interpreters_release(version: str) -> None:
    assert told(version)["full"].startswith(version)
    assert table(version).checked.startswith(version)


@EACH
def test_every_opcode_was_asked_for_its_effect_with_every_class_of_oparg(version: str) -> None:
    effects = told(version)["effects"]
    unknown = {name for name in effects if not effects[name]}

    assert unknown <= {"INSTRUMENTED_LINE"}
    assert {
        row.name: len(OPARGS) if row.takes_argument else 1
        for row in base_rows(version)
        if row.name not in unknown
    } == {row.name: len(effects[row.name]) for row in base_rows(version) if effects[row.name]}


@EACH
def test_the_jumps_backward_are_those_named_so(version: str) -> None:
    assert [row.name for row in base_rows(version) if "BACKWARD" in row.name] == [
        row.name for row in base_rows(version) if row.jump == "backward"
    ]


@EACH
def test_every_instrumented_opcode_is_mapped_to_the_one_it_stands_for(version: str) -> None:
    forms = {
        name: row.base
        for name, row in table(version).opcodes.items()
        if name.startswith("INSTRUMENTED_")
    }
    any_opcode = ("INSTRUMENTED_INSTRUCTION", "INSTRUMENTED_LINE")  # they stand for any opcode

    assert {
        name: None if name in any_opcode else name.removeprefix("INSTRUMENTED_") for name in forms
    } == forms


def changed(name: str, **fields: Any) -> Callable[[Table], Table]:
    """A table with one row changed."""

    def change(rules: Table) -> Table:
        row = dataclasses.replace(rules.opcodes[name], **fields)
        return dataclasses.replace(rules, opcodes={**rules.opcodes, name: row})

    return change


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        (changed("POP_TOP", pops=()), "POP_TOP None: effect [0, 0] here, [-1, -1] there"),
        (
            changed("LOAD_GLOBAL", pushes=("value",)),
            "LOAD_GLOBAL 1: effect [1, 1] here, [2, 2] there",
        ),
        (
            changed("FOR_ITER", jump_pushes=("iter",)),
            "FOR_ITER 0: effect [1, 0] here, [1, 1] there",
        ),
        (changed("NOP", code=255), "NOP: number 255 here, 30 there"),
        (changed("CALL", caches=4), "CALL: caches 4 here, 3 there"),
        (changed("LOAD_NAME", operand="count"), "LOAD_NAME: in dis.hasname?"),
        (changed("LOAD_FAST", operand="count"), "LOAD_FAST: in dis.haslocal/free?"),
        (changed("JUMP_FORWARD", operand="count"), "JUMP_FORWARD: in dis.hasjrel/jabs?"),
        (changed("JUMP_FORWARD", jump="absolute"), "JUMP_FORWARD: an absolute jump?"),
        (changed("NOP", operand="count"), "NOP: takes an argument?"),
        (
            changed("SEND_GEN", base="CALL"),
            "SEND_GEN: specialised form [208, 'CALL'] here, [208, 'SEND'] there",
        ),
        (
            lambda rules: dataclasses.replace(rules, magics=(1,)),
            "magic number 3571 is not in the table",
        ),
        (
            lambda rules: dataclasses.replace(rules, lists={**rules.lists, "compare": ("<",)}),
            "list compare: ['<'] here, ['<', '<=', '==', '!=', '>', '>='] there",
        ),
    ],
)
def test_a_wrong_row_is_reported(change: Callable[[Table], Table], difference: str) -> None:
    found = differences(change(table("3.13")), told("3.13"))

    assert [difference] == [line.removesuffix(" (no jump, jump)") for line in found][:1]


@EACH
def test_a_draft_like_the_version_itself_is_its_table(version: str) -> None:
    text = "\n".join(draft(version, told(version), like=version))
    drafted = from_toml(tomllib.loads(text))

    assert table(version).opcodes == drafted.opcodes
    assert table(version).lists == drafted.lists
    assert table(version).numbers == drafted.numbers
    assert table(version).intrinsics == drafted.intrinsics
    assert table(version).contract == drafted.contract
    assert "# check" not in text


def test_a_draft_marks_what_is_new_and_what_has_changed() -> None:
    text = "\n".join(draft("3.13", told("3.13"), like="3.12"))
    marked = {line.split(" = ")[0] for line in text.splitlines() if "# check" in line}

    assert {"TO_BOOL", "CALL_KW", "END_FOR", "MAKE_FUNCTION"} <= marked
    assert set() == marked & {"POP_TOP", "LOAD_FAST", "BINARY_OP", "FOR_ITER"}
