"""The tables of CPython 3.8 to 3.11 against those interpreters themselves."""

from __future__ import annotations

import json
import subprocess
from functools import cache
from typing import Any

import pytest

from coscope.opcodes import Opcode, table
from coscope.opcodes.schema import Table
from tests.interpreters import require

OLD = pytest.mark.parametrize("version", ["3.8", "3.9", "3.10", "3.11"])

# Small counts, both flag bits, a full byte, and opargs that need an EXTENDED_ARG.
OPARGS = (0, 1, 2, 3, 4, 5, 7, 8, 15, 255, 256, 515)

# Run in the interpreter of the table; it must be syntax of 3.8.
QUESTIONS = """
import dis, importlib.util, json, opcode, sys

def effect(code, oparg, jump):
    try:
        return dis.stack_effect(code, oparg if code >= dis.HAVE_ARGUMENT else None, jump=jump)
    except ValueError:
        return None

lists = ("hasjrel", "hasjabs", "hasconst", "hasname", "haslocal", "hasfree", "hascompare")
json.dump({
    "version": "%d.%d" % sys.version_info[:2],
    "magic": int.from_bytes(importlib.util.MAGIC_NUMBER[:2], "little"),
    "opname": opcode.opname,
    "opmap": opcode.opmap,
    "have_argument": opcode.HAVE_ARGUMENT,
    "lists": {name: sorted(getattr(opcode, name)) for name in lists},
    "cmp_op": list(opcode.cmp_op),
    "caches": getattr(opcode, "_inline_cache_entries", [0] * 256),
    "binary": [symbol for _, symbol in getattr(opcode, "_nb_ops", [])],
    "specialized": {
        form: [dis._all_opmap[form], base]
        for base, forms in getattr(opcode, "_specializations", {}).items()
        for form in forms
    },
    "effects": [
        [code, oparg, jump, effect(code, oparg, jump)]
        for code in range(256)
        for oparg in json.loads(sys.argv[1])
        for jump in (True, False, None)
    ],
}, sys.stdout)
"""


@cache
def answers_of(version: str) -> dict[str, Any]:
    """What the interpreter of this version says of its opcodes."""
    run = subprocess.run(
        [str(require(version)), "-I", "-S", "-c", QUESTIONS, json.dumps(OPARGS)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    told: dict[str, Any] = json.loads(run.stdout)
    return told


def base_rows(told: Table) -> list[Opcode]:
    return [row for row in told.opcodes.values() if row.form in ("base", "internal")]


def codes_with(told: Table, *operands: str) -> list[int]:
    return sorted(row.code for row in base_rows(told) if row.operand in operands)


@OLD
def test_the_interpreter_is_of_the_version_that_the_table_names(version: str) -> None:
    assert answers_of(version)["version"] == table(version).version


@OLD
def test_the_magic_number_is_the_last_of_the_table_and_a_release(version: str) -> None:
    told = table(version)

    assert answers_of(version)["magic"] == told.magics[-1]
    assert answers_of(version)["magic"] in told.release_magics


@OLD
def test_every_opcode_is_in_the_table_under_its_number_and_no_other(version: str) -> None:
    told = {row.name: row.code for row in base_rows(table(version))}

    assert answers_of(version)["opmap"] == told


@OLD
def test_the_names_by_number_are_those_of_dis(version: str) -> None:
    told = [
        row.name if row and row.form in ("base", "internal") else f"<{code}>"
        for code, row in enumerate(table(version).by_code)
    ]

    assert answers_of(version)["opname"] == told


@OLD
def test_the_opcodes_that_take_an_argument_are_those_from_have_argument_on(version: str) -> None:
    first = answers_of(version)["have_argument"]
    rows = base_rows(table(version))

    assert [row.name for row in rows if row.code >= first] == [
        row.name for row in rows if row.takes_argument
    ]


@OLD
@pytest.mark.parametrize(
    ("name", "operands"),
    [
        ("hasconst", ("const", "const names")),
        ("hasname", ("name", "name>>1", "name>>2")),
        ("haslocal", ("local",)),
        ("hasfree", ("deref",)),
        ("hascompare", ("compare",)),
    ],
)
def test_what_an_oparg_means_agrees_with_dis(
    version: str, name: str, operands: tuple[str, ...]
) -> None:
    told = codes_with(table(version), *operands)

    assert answers_of(version)["lists"][name] == told


@OLD
def test_jumps_are_relative_or_absolute_as_in_dis(version: str) -> None:
    rows = base_rows(table(version))
    relative = sorted(row.code for row in rows if row.jump in ("forward", "backward"))
    absolute = sorted(row.code for row in rows if row.jump == "absolute")

    assert answers_of(version)["lists"]["hasjrel"] == relative
    assert answers_of(version)["lists"]["hasjabs"] == absolute


@OLD
def test_the_jumps_backward_are_those_named_so(version: str) -> None:
    rows = base_rows(table(version))

    assert [row.name for row in rows if "BACKWARD" in row.name] == [
        row.name for row in rows if row.jump == "backward"
    ]


@OLD
def test_comparison_operators_are_those_of_dis(version: str) -> None:
    assert tuple(answers_of(version)["cmp_op"]) == table(version).lists["compare"]


@OLD
def test_binary_operators_are_those_of_dis(version: str) -> None:
    assert tuple(answers_of(version)["binary"]) == table(version).lists.get("binary", ())


@OLD
def test_inline_caches_are_those_of_dis(version: str) -> None:
    asked = answers_of(version)["caches"]

    assert [asked[row.code] for row in base_rows(table(version))] == [
        row.caches for row in base_rows(table(version))
    ]


@OLD
def test_the_specialised_forms_are_those_of_dis(version: str) -> None:
    told = {
        row.name: [row.code, row.base]
        for row in table(version).opcodes.values()
        if row.form == "specialized"
    }

    assert answers_of(version)["specialized"] == told
    assert not [row for row in table(version).opcodes.values() if row.form == "instrumented"]


@OLD
def test_net_stack_effects_are_those_of_dis(version: str) -> None:
    """For every number, each oparg of OPARGS, with the jump, without it, and the larger of both."""
    rows = [
        row if row and row.form in ("base", "internal") else None for row in table(version).by_code
    ]

    told = []
    for code, oparg, jump, _ in answers_of(version)["effects"]:
        row = rows[code]
        if row is None:
            effect = None
        elif jump is None:
            effect = max(row.effect(oparg, True), row.effect(oparg, False))
        else:
            effect = row.effect(oparg, jump)
        told.append([code, oparg, jump, effect])

    assert answers_of(version)["effects"] == told


def test_dis_counts_otherwise_than_the_interpreter_only_where_the_table_says_why() -> None:
    """PRECALL leaves the arguments for CALL; RETURN_GENERATOR runs on with the value sent."""
    told = {
        (version, row.name)
        for version in ("3.8", "3.9", "3.10", "3.11")
        for row in table(version).opcodes.values()
        if row.form == "base" and row.dis_effect is not None
    }

    assert {("3.11", name) for name in ("PRECALL", "CALL", "RETURN_GENERATOR")} == told


def test_precall_and_call_together_have_the_effect_that_dis_says() -> None:
    precall, call = table("3.11").opcodes["PRECALL"], table("3.11").opcodes["CALL"]
    by_slots = [
        sum(row.pushed(oparg) - row.popped(oparg) for row in (precall, call)) for oparg in OPARGS
    ]

    assert [precall.effect(oparg) + call.effect(oparg) for oparg in OPARGS] == by_slots
