"""Slot expressions: how the tables write stack slots."""

from __future__ import annotations

import pytest

from coscope.errors import InternalError
from coscope.opcodes.slots import Slot, evaluate, parse


@pytest.mark.parametrize(
    ("text", "slot"),
    [
        ("value", Slot("value", None, "1", None)),
        ("  value ", Slot("value", None, "1", None)),
        ("list: list", Slot("list", "list", "1", None)),
        ("args * oparg", Slot("args", None, "oparg", None)),
        ("rest * oparg - 1", Slot("rest", None, "oparg - 1", None)),
        ("values * oparg * 2", Slot("values", None, "oparg * 2", None)),
        ("before * oparg & 0xFF", Slot("before", None, "oparg & 0xFF", None)),
        ("pieces: str * oparg", Slot("pieces", "str", "oparg", None)),
        ("null if oparg & 1", Slot("null", None, "1", "oparg & 1")),
        ("step if oparg == 3", Slot("step", None, "1", "oparg == 3")),
        ("spec: str if oparg & 4", Slot("spec", "str", "1", "oparg & 4")),
        ("a: tuple of str * oparg if oparg > 1", Slot("a", "tuple of str", "oparg", "oparg > 1")),
        ("iffy if oparg", Slot("iffy", None, "1", "oparg")),
    ],
)
def test_a_slot_is_a_name_a_type_a_count_and_a_condition(text: str, slot: Slot) -> None:
    assert slot == parse(text)


@pytest.mark.parametrize("text", ["", "two words", "a * ", "a if", "a-b", "* oparg"])
def test_what_is_not_a_slot_is_refused(text: str) -> None:
    with pytest.raises(InternalError, match="cannot read the slot"):
        parse(text)


@pytest.mark.parametrize(
    ("text", "sizes"),
    [
        ("value", {0: 1, 1: 1, 255: 1}),
        ("args * oparg", {0: 0, 1: 1, 300: 300}),
        ("rest * oparg - 1", {0: 0, 1: 0, 2: 1, 300: 299}),
        ("values * oparg * 2", {0: 0, 3: 6}),
        ("null if oparg & 1", {0: 0, 1: 1, 2: 0, 3: 1}),
        ("attr if oparg & 1 == 0", {0: 1, 1: 0, 2: 1, 3: 0}),
        ("step if oparg == 3", {2: 0, 3: 1, 4: 0}),
        ("after * oparg >> 8", {0x203: 2, 0xFF: 0}),
        ("before * oparg & 0xFF", {0x203: 3, 0x100: 0}),
        ("two * 2 if not oparg", {0: 2, 1: 0}),
        ("x * (oparg & 0xFF) + (oparg >> 8)", {0x203: 5}),
    ],
)
def test_the_size_of_a_slot_follows_the_oparg(text: str, sizes: dict[int, int]) -> None:
    assert sizes == {oparg: parse(text).size(oparg) for oparg in sizes}


@pytest.mark.parametrize(
    ("expression", "oparg", "value"),
    [
        ("7", 1, 7),
        ("oparg", 5, 5),
        ("oparg + 1 - 3", 5, 3),
        ("1 + oparg * 2", 3, 7),
        ("oparg | 4", 3, 7),
        ("-1 - oparg", 3, -4),
        ("oparg << 2 >> 1", 3, 6),
        ("oparg < 3", 3, 0),
        ("oparg <= 3", 3, 1),
        ("oparg > 3", 3, 0),
        ("oparg >= 3", 3, 1),
        ("oparg != 3", 3, 0),
        ("not oparg & 1", 3, 0),
        ("(oparg & 3) == 3", 7, 1),
    ],
)
def test_expressions_have_the_precedence_of_python(expression: str, oparg: int, value: int) -> None:
    assert value == evaluate(expression, oparg) == int(eval(expression, {"oparg": oparg}))


@pytest.mark.parametrize(
    "expression",
    [
        "other",
        "oparg()",
        "oparg.real",
        "'text'",
        "oparg ** 2",
        "1 < oparg < 3",
        "[1][0]",
        "oparg +",
    ],
)
def test_nothing_but_integer_arithmetic_on_oparg_is_read(expression: str) -> None:
    with pytest.raises(InternalError, match="cannot read the expression"):
        evaluate(expression, 1)
