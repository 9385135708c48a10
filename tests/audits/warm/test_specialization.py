"""Counters of the inline caches: what coscope knows of them, held against this interpreter."""

from __future__ import annotations

from types import FunctionType
from typing import cast

import pytest

from coscope.audits.warm.class_tags import tags_used, version_tag
from coscope.audits.warm.samples import Recorder
from coscope.audits.warm.specialization import (
    GENERIC,
    MISSING,
    SPECIALIZED,
    UNCOUNTED,
    WAITING,
    codes_in,
    executed_forms,
    read_sites,
    specializes,
    states_of,
)
from coscope.opcodes import table
from coscope.readers.from_function import HOST_VERSION


class Plain:
    def __init__(self) -> None:
        self.x = 1


class Other:
    def __init__(self) -> None:
        self.y = self.x = 1


SUM = "def f(objects):\n total = 0\n for each in objects:\n  total += each.x\n return total"


def _fresh(source: str = SUM) -> FunctionType:
    """A function whose code has never run."""
    namespace: dict[str, object] = {}
    exec(source, namespace)
    made = namespace["f"]
    assert isinstance(made, FunctionType)
    return made


def test_this_interpreter_specializes() -> None:
    assert specializes()
    assert table(HOST_VERSION).specialization is not None


def test_code_that_has_not_run_has_no_sites() -> None:
    assert [] == read_sites(_fresh().__code__, executions=1, misses=1)


def test_a_site_that_fits_is_specialised_and_settled() -> None:
    function = _fresh()
    function([Plain()] * 3000)

    assert [] == read_sites(function.__code__, executions=1, misses=1)
    assert "LOAD_ATTR_INSTANCE_VALUE" in executed_forms(function.__code__).values()


@pytest.mark.parametrize("misses", [1, 5, 20])
def test_the_misses_are_counted_one_by_one(misses: int) -> None:
    function = _fresh()
    function([Plain()] * 3000)
    function([Other()] * misses)

    (site,) = read_sites(function.__code__, misses=1)
    assert ("LOAD_ATTR", misses, False) == (site.family, site.misses, site.generic)


class Fallback:
    def __getattr__(self, name: str) -> int:
        return 1


# `(3).real` is an attribute of C: no version has a specialised form for it.
SLOW = "def f(objects):\n for each in objects:\n  each.real"


def test_a_generic_site_says_how_often_it_ran_at_least() -> None:
    told = []
    for count in (300, 3000, 9000):
        function = _fresh(SLOW)
        function([3] * count)
        (site,) = read_sites(function.__code__, executions=1)
        assert site.generic
        assert count // 14 < site.executions <= count
        told.append(site.executions)

    assert sorted(told) == told


def test_each_backoff_is_reached_after_as_many_executions_as_the_table_says() -> None:
    counting = table(HOST_VERSION).specialization
    assert counting is not None
    function, reached = _fresh(SLOW), dict[int, int]()
    for count in range(1, 4100):
        function([3])
        for site in read_sites(function.__code__, executions=1):
            reached.setdefault(site.backoff, count)
    wanted = {at: count for at, count in enumerate(counting.executions) if count}

    # To 3.11 code adapts after some calls.
    late = 0 if counting.generic == "{}" else 8
    assert reached.keys() == wanted.keys()
    assert all(wanted[at] <= reached[at] <= wanted[at] + late for at in wanted)


def test_code_that_never_ran_counts_nothing_but_what_waits() -> None:
    def never(rows: list[int]) -> int:
        total = 0
        for each in rows:
            total += each
        while total > 9:
            total -= 1
        return total

    assert [] == read_sites(never.__code__, executions=1, misses=1)
    assert {state.state for state in states_of(never.__code__)} <= {WAITING, UNCOUNTED}


def test_a_loop_that_jumps_back_a_million_times_is_not_a_generic_site() -> None:
    function = _fresh("def f(n):\n while n:\n  n -= 1")
    function(100_000)

    assert [] == read_sites(function.__code__, executions=1, misses=1)


def test_what_is_specialised_in_vain_is_generic_however_seldom_it_waits() -> None:
    counting = table(HOST_VERSION).specialization
    assert counting is not None
    function = _fresh()
    function([Fallback()] * 3000)
    (site,) = read_sites(function.__code__, executions=1)
    (state,) = [each for each in states_of(function.__code__) if each.offset == site.offset]

    assert (True, GENERIC) == (site.generic, state.state)
    assert counting.succeeds_in_vain == site.vain
    assert counting.succeeds_in_vain == ("left it so" in site.evidence)
    assert counting.succeeds_in_vain == (site.most_executions is None and not site.executions)


def test_nested_code_is_read_after_its_functions_are_gone() -> None:
    def outer() -> list[int]:
        return [(lambda each: each.x)(each) for each in [Fallback()] * 3000]

    outer()

    found = [co.co_name for co, _ in codes_in([cast(FunctionType, outer)]) if read_sites(co)]
    assert "<lambda>" in found


def test_the_versions_of_a_class_are_read_where_they_are() -> None:
    def attribute(thing: Plain) -> int:
        return thing.x

    class Changed(Plain):
        pass

    for number in range(50):
        attribute(Changed())
        Changed.n = number  # type: ignore[attr-defined]
    attribute(Changed())
    hasattr(Changed, "n")

    assert version_tag(Changed) > 0
    assert tags_used(Changed) in ((0,) if HOST_VERSION < "3.13" else range(40, 200))


def test_readings_tell_a_site_that_keeps_missing_from_one_that_misses_now_and_then() -> None:
    mixed, once, seldom = functions = _fresh(), _fresh(), _fresh()
    recorder = Recorder(lambda co, namespace: True)
    once([Plain()] * 3000 + [Other()] * 9)
    seldom([Plain()] * 3000 + [Other()])
    for number in range(20):
        for function in functions:
            recorder.read(function.__code__)
            recorder.seen[id(function.__code__)].samples += 1
        mixed([Plain(), Other()] * (1000 + 7 * number))
        once([Plain()] * 1000)
        seldom([Plain()] * 1000 + [Other()])
        for function in functions:
            recorder.read_again(function.__code__)
    (offset,) = recorder.seen[id(once.__code__)].misses

    assert [True, False, False] == [
        recorder.keeps_missing(function.__code__, offset) for function in functions
    ]


def test_too_few_readings_tell_nothing() -> None:
    recorder = Recorder(lambda co, namespace: True)
    function = _fresh()
    function([Plain(), Other()] * 1000)
    for _ in range(3):
        recorder.read(function.__code__)
        recorder.read_again(function.__code__)

    assert recorder.keeps_missing(function.__code__, 0) is None


def test_what_became_of_each_instruction() -> None:
    fits, generic, mixed, fresh = _fresh(), _fresh(), _fresh(), _fresh()
    fits([Plain()] * 3000)
    generic([Fallback()] * 3000)
    mixed([Plain()] * 3000)
    mixed([Other()] * 20)
    counting = table(HOST_VERSION).specialization
    vain = counting is not None and counting.succeeds_in_vain

    told = []
    for function in (fits, generic, mixed, fresh):
        (state,) = [each for each in states_of(function.__code__) if "LOAD_ATTR" in each.executed]
        told.append((state.state, state.misses, bool(state.executions)))

    assert [
        (SPECIALIZED, 0, False),
        (GENERIC, None, not vain),
        (MISSING, 20, False),
        (WAITING, None, False),
    ] == told


def test_a_site_that_is_known_to_miss_is_told_so_whatever_it_counts_now() -> None:
    function = _fresh()
    function([Plain()] * 3000)
    (offset,) = [
        each.offset for each in states_of(function.__code__) if "LOAD_ATTR" in each.executed
    ]

    assert MISSING in {each.state for each in states_of(function.__code__, [offset])}


def test_the_backoff_limits_the_executions_until_it_is_the_highest() -> None:
    limits = []
    for count in (100, 300, 9000):
        function = _fresh(SLOW)
        function([3] * count)
        (site,) = read_sites(function.__code__, executions=1)
        limits.append(site.most_executions)

    assert limits[0] is not None
    assert limits[1] is not None
    assert 100 <= limits[0] < 500
    assert 300 <= limits[1] < 1200
    assert limits[2] is None
