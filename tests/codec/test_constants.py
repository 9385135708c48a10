"""Constants as text."""

from __future__ import annotations

from typing import Any

import pytest

from coscope.codec.constants import DEPTH, LIMIT, constant_text
from coscope.model import FrozenSet, Opaque, Slice
from tests.codec.samples import EMPTY


@pytest.mark.parametrize(
    "value",
    [None, True, -1, 1.5, -0.0, 1j, "a'b", "\udc80", b"x", ..., (), (1,), (1, (2, "c")), 10**4000],
    ids=lambda value: constant_text(value)[:12],
)
def test_as_python_writes_it(value: Any) -> None:
    assert repr(value) == constant_text(value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (FrozenSet(()), "frozenset()"),
        (FrozenSet((1, "a")), "frozenset({'a', 1})"),  # in the order of the texts
        (Slice(1, None, 2), "slice(1, None, 2)"),
        (Opaque("m.Thing", 255), "<m.Thing object at 0xff>"),
        (StopIteration, "<class 'StopIteration'>"),
        (EMPTY, "<code object f, file 'f.py', line 1>"),
        pytest.param(1 << 20_000, "0x1" + "0" * 5000, id="too long for str"),
    ],
)
def test_what_python_writes_otherwise_or_not_at_all(value: Any, expected: str) -> None:
    assert expected == constant_text(value)


def test_shared_tuples_do_not_explode() -> None:
    value: Any = ("leaf",)
    for _ in range(40):
        value = (value, value)

    assert len(constant_text(value)) <= LIMIT + 10


def test_deep_nesting_ends_in_dots() -> None:
    value: Any = ()
    for _ in range(10_000):
        value = (value,)

    assert "..." in constant_text(value)


@pytest.mark.parametrize(("levels", "cut"), [(DEPTH - 1, False), (DEPTH, False), (DEPTH + 1, True)])
def test_containers_are_written_to_the_stated_depth(levels: int, cut: bool) -> None:
    value: Any = 7
    for _ in range(levels):
        value = (value,)

    assert ("..." in constant_text(value)) is cut
    assert ("7" in constant_text(value)) is not cut
    assert DEPTH == 50


def test_a_set_that_holds_one_set_many_times_over_takes_no_exponential_time() -> None:
    nested = FrozenSet(("a",))
    for _ in range(40):
        nested = FrozenSet((nested, nested, 1))

    size = len(constant_text(nested))  # no assertion may write the set itself

    assert size < 2 * LIMIT
