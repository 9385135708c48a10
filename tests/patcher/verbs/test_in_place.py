"""`coscope.patched`: in place, and undone whatever happens in between."""

from __future__ import annotations

import sys
import threading
import warnings
from collections.abc import Iterator
from itertools import permutations
from typing import Any

import pytest

import coscope
from coscope.opcodes import table
from coscope.patcher.verbs import in_place
from coscope.readers.from_function import HOST_VERSION
from tests.patcher.verbs.closures import counting, stepping, waiting

pytestmark = pytest.mark.filterwarnings("ignore:CPython 3.13:RuntimeWarning")


@pytest.fixture(autouse=True)
def _nothing_stays() -> Iterator[None]:
    yield

    assert {} == in_place._stacks


def answer() -> tuple[int, str]:
    return 30, "a"


def other() -> str:
    return "other"


def test_it_is_undone_at_the_end() -> None:
    code = answer.__code__
    with coscope.patched(answer, constants={30: 5}, folded="replace") as receipt:
        assert (5, "a") == answer()
        assert receipt.in_place
        assert receipt.before is not None
        assert receipt.after is not None
        assert receipt.before.value != receipt.after.value

    assert answer.__code__ is code
    assert (30, "a") == answer()
    assert receipt.before.value == coscope.fingerprint(answer).value


def test_it_is_undone_after_an_error() -> None:
    code, defaults, kwdefaults = waiting.__code__, waiting.__defaults__, waiting.__kwdefaults__
    patch = coscope.patched(waiting, defaults={"seconds": 1, "tries": 2}, globals={"TIMEOUT": 3})

    @patch
    def failing() -> None:
        assert (1, 2, 3) == waiting()
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        failing()

    assert waiting.__code__ is code
    assert waiting.__defaults__ is defaults
    assert waiting.__kwdefaults__ is kwdefaults


def test_a_refused_patch_changes_nothing() -> None:
    code = answer.__code__
    with pytest.raises(coscope.ConstantNotFound), coscope.patched(answer, constants={31: 5}):
        pytest.fail("it was entered")

    assert answer.__code__ is code


def test_cells_are_written_and_given_back() -> None:
    step, now = counting()
    step()
    with coscope.patched(step, cells={"count": 100}) as receipt:
        assert (101, 101) == (step(), now())
        assert any("counting.<locals>.now" in note for note in receipt.notes)

    assert 1 == now()


def test_an_empty_cell_is_empty_again() -> None:
    def maker() -> Any:
        def reading() -> Any:
            return later

        if reading is None:
            later = 1
        return reading

    reading = maker()
    with coscope.patched(reading, cells={"later": 5}):
        assert 5 == reading()
    with pytest.raises(NameError):
        reading()


def two() -> list[Any]:
    first = [30, "a"]
    return [*first, 60]


def test_nested_patches() -> None:
    code = two.__code__
    with coscope.patched(two, constants={60: 6}):
        inside = two.__code__
        with coscope.patched(two, constants={6: 7}):
            assert 7 == two()[-1]
        assert two.__code__ is inside
        assert 6 == two()[-1]

    assert two.__code__ is code


@pytest.mark.parametrize(("second", "left"), [({60: 6}, 6), ({5: 9}, 60)])
def test_the_first_leaves_first(second: dict[int, int], left: int) -> None:
    def pair() -> tuple[int, int]:
        first = 30
        return first, 60

    code = pair.__code__
    below = coscope.patched(pair, constants={30: 5})
    above = coscope.patched(pair, constants=second)
    below.__enter__()
    above.__enter__()
    below.__exit__(None, None, None)
    # What needs the first one keeps it as long as it is there.
    assert ((30, left) if left == 6 else (9, left)) == pair()
    above.__exit__(None, None, None)

    assert pair.__code__ is code
    with pytest.raises(coscope.PatchError, match="undone before"):
        above.__exit__(None, None, None)


def test_a_cell_that_is_left_below_another_patch() -> None:
    y = 1

    def pair() -> tuple[int, int]:
        return y, 60

    below = coscope.patched(pair, cells={"y": 5}, constants={60: 6})
    above = coscope.patched(pair, constants={6: 7})
    below.__enter__()
    above.__enter__()
    below.__exit__(None, None, None)
    # The later one found 6, which the first one made: both stay.
    assert (5, 7) == pair()
    above.__exit__(None, None, None)

    assert (1, 60) == pair()


def test_nobody_finds_a_patch_gone_while_another_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    y = 1

    def three() -> tuple[int, int, int]:
        return y, 30, 60

    patches = [
        coscope.patched(three, constants={30: 5}),
        coscope.patched(three, constants={60: 6}),
        coscope.patched(three, cells={"y": 2}),
    ]
    for each in patches:
        each.__enter__()
    seen = []
    admit = in_place.admit

    def watched(*args: Any, **kwargs: Any) -> Any:
        seen.append(three())  # as another thread may
        return admit(*args, **kwargs)

    monkeypatch.setattr(in_place, "admit", watched)
    patches[0].__exit__(None, None, None)
    assert (2, 30, 6) == three()
    patches[1].__exit__(None, None, None)
    assert (2, 30, 60) == three()
    patches[2].__exit__(None, None, None)

    assert (1, 30, 60) == three()
    assert [(2, 5, 6), (2, 5, 6), (2, 30, 6)] == seen


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_any_order_of_leaving(order: tuple[int, ...]) -> None:
    y = 1

    def three(a: int = 0) -> tuple[int, ...]:
        return a, y, 30, 60

    code = three.__code__
    changes: list[Any] = [
        {"constants": {30: 5}},
        {"cells": {"y": 2}, "constants": {60: 6}},
        {"defaults": {"a": 3}},
    ]
    patches = [coscope.patched(three, **each) for each in changes]
    for each in patches:
        each.__enter__()
    left = set(range(3))
    for number in order:
        left.remove(number)
        patches[number].__exit__(None, None, None)
        expected = (
            3 * (2 in left),
            1 + (1 in left),
            5 if 0 in left else 30,
            6 if 1 in left else 60,
        )

        assert expected == three()
    assert three.__code__ is code
    assert (0,) == three.__defaults__


def test_recursion_of_a_decorated_function() -> None:
    @coscope.patched(other, constants={"other": "patched"})
    def recursive(n: int) -> list[str]:
        return [other(), *(recursive(n - 1) if n else [])]

    assert ["patched"] * 4 == recursive(3)
    assert "other" == other()


def test_the_same_patch_in_two_places_counts() -> None:
    with coscope.patched(other, constants={"other": "x"}):
        with coscope.patched(other, constants={"other": "x"}):
            assert "x" == other()
        assert "x" == other()

    assert "other" == other()


@pytest.mark.skipif(sys.platform == "emscripten", reason="Pyodide starts no threads")
def test_threads() -> None:
    code = two.__code__
    wrong: list[Any] = []
    start = threading.Barrier(6)

    def work(number: int) -> None:
        start.wait()
        for _ in range(15):
            old, new = ((60, 6), ("a", "b"), (30, 3))[number % 3]
            try:
                with coscope.patched(two, constants=[(old, new)], folded="replace"):
                    if new not in two():
                        wrong.append(two())
            except Exception as error:
                wrong.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [] == wrong
    assert two.__code__ is code


def test_a_generator_half_way_goes_on_with_the_old_code() -> None:
    running = stepping(3)
    next(running)
    fresh = stepping(3)
    with coscope.patched(stepping, constants={"step": "other"}) as receipt:
        assert (1, "step") == next(running)
        assert (0, "step") == next(fresh)
        assert (0, "other") == next(stepping(1))

        assert 1 == receipt.running_frames
        assert any("frame" in note for note in receipt.notes)


def test_a_running_frame_is_counted() -> None:
    def inside() -> tuple[int, int]:
        with coscope.patched(inside, constants={77: 78}) as receipt:
            return receipt.running_frames, 77

    assert (1, 77) == inside()


class Pausing:
    """Something to await once."""

    def __await__(self) -> Iterator[str]:
        yield "pausing"


def test_generators_and_coroutines_are_patched_while_they_run() -> None:
    @coscope.patched(other, constants={"other": "x"})
    def generating() -> Iterator[str]:
        yield other()
        yield other()

    @coscope.patched(other, constants={"other": "x"})
    async def awaiting() -> str:
        await Pausing()
        return other()

    assert ["x", "x"] == list(generating())
    running: Any = awaiting()
    assert "pausing" == running.send(None)
    with pytest.raises(StopIteration) as stop:
        running.send(None)
    assert "x" == stop.value.value
    assert "other" == other()


def test_what_cannot_be_decorated() -> None:
    patch = coscope.patched(other, constants={"other": "x"})

    async def asynchronous() -> Any:
        yield 1

    for thing in (asynchronous, type("Kind", (), {})):
        with pytest.raises(coscope.PatchError, match="cannot be decorated"):
            patch(thing)


def test_code_that_somebody_else_assigned_is_told() -> None:
    code = other.__code__
    patch = coscope.patched(other, constants={"other": "x"})
    patch.__enter__()
    other.__code__ = (lambda: "theirs").__code__
    with pytest.warns(RuntimeWarning, match="somebody else changed"):
        patch.__exit__(None, None, None)

    assert other.__code__ is code


def test_methods_and_wrappers_are_reached() -> None:
    class Kind:
        def method(self) -> int:
            return int("5") + len("four")

    one, same = Kind(), Kind()
    with coscope.patched(one.method, constants={"5": "6"}) as receipt:
        assert (10, 10) == (one.method(), same.method())

    assert ("bound method.__func__",) == receipt.via
    assert 9 == one.method()


def test_the_cost_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(in_place, "_told", [])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for _ in range(2):
            with coscope.patched(other, constants={"other": "x"}):
                other()

    assert int(table(HOST_VERSION).behaves("functions_lose_version")) == len(caught)
    assert all(warning.filename == __file__ for warning in caught)


def test_what_leaves_the_code_alone_costs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(in_place, "_told", [])
    y = 1

    def held() -> int:
        return y

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with coscope.patched(held, cells={"y": 2}):
            assert 2 == held()

    assert 1 == held()
