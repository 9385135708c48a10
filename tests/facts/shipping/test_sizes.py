"""Deep sizes."""

from __future__ import annotations

import gc
import sys
from typing import Any

from coscope.facts.shipping.clocks import Clock
from coscope.facts.shipping.sizes import Scale, size_of
from tests.facts.shipping.shipped import Slotted


class Heavy:
    """Lies about its size, if it is asked."""

    def __init__(self) -> None:
        self.data = bytearray(1000)

    def __sizeof__(self) -> int:
        raise AssertionError("asked")


def deep(things: list[Any]) -> int:
    """The same sum, the plain way."""
    seen = {id(thing): thing for thing in things}
    return sum(sys.getsizeof(thing) for thing in seen.values())


def test_the_size_is_the_sum_of_getsizeof() -> None:
    inner, data = [1.5, 2.5], bytearray(100)
    thing = {"a": inner, "b": data, "c": data}
    parts = [thing, inner, data, *inner, "a", "b", "c"]

    assert (deep(parts), len(parts)) == (size_of(thing).bytes, size_of(thing).objects)


def test_an_own_sizeof_is_not_called() -> None:
    assert 1000 < size_of(Heavy()).bytes < 2000


def test_an_instance_without_sizeof_is_as_large_as_getsizeof_says() -> None:
    thing = Slotted(bytearray(10))

    assert sys.getsizeof(thing) + sys.getsizeof(bytearray(10)) == size_of(thing).bytes


def test_what_exists_once_for_all_is_not_counted() -> None:
    thing = [None, True, ..., NotImplemented, int, sys, len.__class__]

    assert sys.getsizeof(thing) == size_of(thing).bytes


def test_a_scale_tells_what_was_weighed_before() -> None:
    data = bytearray(1000)
    scale = Scale(Clock(5))
    first, second = scale.weigh([data]), scale.weigh((data,))

    assert (0, sys.getsizeof(data)) == (first.shared, second.shared)


def test_a_circle_is_counted_once() -> None:
    thing: list[Any] = []
    thing.append(thing)

    assert (sys.getsizeof(thing), 1) == (size_of(thing).bytes, size_of(thing).objects)


def test_the_limit_on_objects_is_kept_and_told() -> None:
    found = size_of([bytearray(1) for _ in range(1000)], most=100)

    assert (100, False) == (found.objects, found.complete)


def test_the_limit_on_time_is_kept_and_told() -> None:
    assert not size_of([bytearray(1) for _ in range(1000)], seconds=0).complete


def test_a_function_counts_what_it_holds_but_not_its_globals() -> None:
    data = bytearray(100_000)
    function = (lambda: data) if data else None

    assert 100_000 < size_of(function).bytes < 110_000


def test_weighing_leaves_no_garbage_behind() -> None:
    thing = [bytearray(10)]
    gc.collect()
    before = sys.getrefcount(thing)
    size_of(thing)

    assert before == sys.getrefcount(thing)
