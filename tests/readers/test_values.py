"""Safe short texts of live objects."""

from __future__ import annotations

import enum
import json
import sys
from typing import Any

import pytest

from coscope.readers.values import WIDTH, shortened, text_of, value_of


class Color(enum.IntEnum):
    RED = 1


def plain() -> None: ...


PLAIN: list[object] = [
    *(None, True, 1, -5, 1.5, -0.0, 1e300, 2j, ..., NotImplemented, 2**199),
    *("text", "", b"bytes", "é\n'", bytearray(b"x"), "\ud800"),
    *((), (1,), (1, 2), [], [1, "a"], {}, {"a": 1}, set(), {1}, frozenset(), frozenset({1})),
    [[1], (2, {3: 4})],
]


@pytest.mark.parametrize("thing", PLAIN, ids=range(len(PLAIN)))
def test_short_values_of_built_in_types_are_as_repr(thing: object) -> None:
    assert repr(thing) == text_of(thing)


@pytest.mark.parametrize(
    ("thing", "text"),
    [
        (list(range(100)), "[0, 1, 2, 3, 4, 5, ... 100 in all]"),
        ([[[[1]]]], "[[[[...]]]]"),
        (16**400, "0x1000000000000... (1601 bits)"),
        (-(16**400), "-0x1000000000000... (1601 bits)"),
        (len, "<built-in function len>"),
        (plain, "<function plain>"),
        (plain.__code__, "<code plain>"),
        (Color, f"<class {__name__}.Color>"),
        (int, "<class int>"),
        (json, "<module json>"),
        (json.JSONEncoder().encode, "<bound method JSONEncoder.encode>"),
    ],
)
def test_other_values_are_summarised(thing: object, text: str) -> None:
    assert text == text_of(thing)


@pytest.mark.parametrize("thing", [object(), Color.RED, range(3), iter(()), json.JSONEncoder()])
def test_instances_are_type_and_address(thing: object) -> None:
    text = text_of(thing)

    assert text.endswith(f" at {id(thing):#x}>")
    assert type(thing).__qualname__ in text


@pytest.mark.parametrize(
    "thing",
    [
        "x" * 10**6,
        b"\0" * 10**6,
        ["y" * 1000] * 1000,
        {letter * 100: "v" * 100 for letter in "abcde"},
        {i: i for i in range(1000)},
        [[["deep" * 50] * 50] * 50] * 50,
        "\ud800" * 500,
        10**4000,  # a parameter of pytest may not have more digits
    ],
)
def test_no_text_is_long(thing: object) -> None:
    assert len(text_of(thing)) <= WIDTH


def test_a_large_int_is_shown_where_its_repr_is_refused() -> None:
    limit = sys.get_int_max_str_digits()

    assert limit == 0 or len(text_of(10 ** (limit + 1))) < WIDTH


def test_containers_that_hold_themselves_end() -> None:
    ring: list[Any] = []
    ring.append(ring)

    assert "[[[[...]]]]" == text_of(ring)


def test_a_value_has_type_name_and_identity() -> None:
    value = value_of(Color.RED)

    assert (f"{__name__}.Color", id(Color.RED)) == (value.type_name, value.identity)


def test_a_module_that_hides_its_name_is_still_shown() -> None:
    module = type(json)("hidden")
    del module.__dict__["__name__"]

    assert text_of(module).startswith("<module at 0x")


@pytest.mark.parametrize("width", range(5, 30))
def test_shortened_texts_have_the_width(width: int) -> None:
    assert width == len(shortened("abcdefghijklmnopqrstuvwxyz" * 2, width))
