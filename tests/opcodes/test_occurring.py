"""Every opcode that compilers emit for the standard library, with its opargs, has a full row."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from coscope.opcodes import Opcode, Table, table
from coscope.opcodes.schema import OPERANDS
from tests import interpreters

HERE = Path(__file__).resolve().parent

# Files compiled. The slots of 3.12 and 3.13 are the hosts' own.
FILES = {"3.12": 300, "3.13": 300}

EACH = pytest.mark.parametrize("version", interpreters.VERSIONS)

# Which list of the table an operand selects from.
LISTS = {
    "binary": "binary",
    "intrinsic 1": "intrinsic_1",
    "intrinsic 2": "intrinsic_2",
    "convert": "convert",
    "special": "special",
    "common constant": "common_constants",
}


@cache
def told(version: str) -> dict[str, Any]:
    """What `occurring.py` tells, run by the interpreter of this version."""
    files = str(FILES.get(version, 40))
    executable = str(interpreters.require(version))
    command = [executable, "-I", "-S", str(HERE / "occurring.py"), files]
    run = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    answer: dict[str, Any] = json.loads(run.stdout.splitlines()[-1])
    return answer


def occurring(version: str) -> Iterator[tuple[Opcode, int, int, int]]:
    """Row, oparg, and the net stack effect without the jump and with it."""
    for name, cases in told(version)["opcodes"].items():
        for oparg, falls, jumps in cases:
            yield table(version).opcodes[name], oparg, falls, jumps


def index_of(row: Opcode, oparg: int, rules: Table) -> int:
    return oparg >> rules.numbers["compare_shift"] if row.operand == "compare" else oparg


@EACH
def test_the_sample_is_broad(version: str) -> None:
    assert told(version)["files"] >= FILES.get(version, 40)
    assert len(told(version)["opcodes"]) > 85


@EACH
def test_every_opcode_has_a_row_of_its_own_with_a_known_operand(version: str) -> None:
    rows = table(version).opcodes
    names = set(told(version)["opcodes"])

    assert set() == names - rows.keys()
    assert {"base"} == {rows[name].form for name in names}
    assert set() == {rows[name].operand for name in names} - set(OPERANDS)


@EACH
def test_every_value_that_is_left_has_a_text_or_is_moved(version: str) -> None:
    silent = [
        (row.name, oparg, slot.name)
        for row, oparg, _, _ in occurring(version)
        for slot in (*row.push_slots, *row.jump_push_slots)
        if slot.size(oparg)
        and slot.name not in {popped.name for popped in row.pop_slots}
        and not (isinstance(row.shows, str) or slot.name in (row.shows or {}))
    ]

    assert [] == silent


@EACH
def test_the_effect_is_that_of_dis_for_every_oparg_that_occurs(version: str) -> None:
    assert [] == [
        (row.name, oparg)
        for row, oparg, falls, jumps in occurring(version)
        if (falls, jumps) != (row.effect(oparg), row.effect(oparg, jump=True))
    ]


@EACH
def test_opargs_that_select_from_a_list_lie_inside_it(version: str) -> None:
    rules = table(version)
    lists = {**LISTS, "compare": "compare"}

    assert [] == [
        (row.name, oparg)
        for row, oparg, _, _ in occurring(version)
        if row.operand in lists
        and index_of(row, oparg, rules) >= len(rules.lists[lists[row.operand]])
    ]


@EACH
def test_inverted_operands_are_0_or_1(version: str) -> None:
    inverting = any(row.operand == "invert" for row in table(version).opcodes.values())
    opargs = {oparg for row, oparg, _, _ in occurring(version) if row.operand == "invert"}

    assert ({0, 1} if inverting else set()) == opargs
