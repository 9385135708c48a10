"""`tune --test` of generators and coroutines: they do the same, and each step is timed."""

from __future__ import annotations

import asyncio
import inspect
import types
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import pytest

from coscope.tuner.inside.command import Meter, install
from coscope.tuner.inside.forms import copy_of
from coscope.tuner.inside.measuring import Lines

_now = 0.0


def clock() -> float:
    return _now


def work(seconds: float) -> None:
    global _now
    _now += seconds


def metered(function: Any, *, count: bool = False) -> Meter:
    co = function.__code__
    lines = Lines(co) if count else None
    return install(
        function, [copy_of(co), copy_of(co), copy_of(co)] if not count else [co], 0, lines, clock
    )


def _generator() -> Any:
    def count(n: int) -> Iterator[Any]:
        got = []
        try:
            for number in range(n):
                work(1)
                try:
                    got.append((yield number))
                except ValueError as error:
                    got.append(str(error))
        finally:
            work(10)
        return got

    return count


def test_a_generator_does_the_same_and_its_steps_are_timed() -> None:
    count = _generator()
    meter = metered(count)
    made = count(3)
    first = next(made)
    work(1000)  # between its steps somebody else works
    second, third = made.send("sent"), made.throw(ValueError("thrown"))
    with pytest.raises(StopIteration) as stopped:
        next(made)

    assert (0, 1, 2) == (first, second, third)
    assert ["sent", "thrown", None] == stopped.value.value
    assert inspect.isgeneratorfunction(count)
    assert inspect.isgenerator(made)
    assert ([13.0, 0.0, 0.0], 1) == (meter.told()["seconds"], meter.told()["calls"])


def test_the_forms_take_turns_when_generators_are_made() -> None:
    count = _generator()
    meter = metered(count)
    results = [list(count(n)) for n in (1, 2, 3, 1)]

    assert [[0], [0, 1], [0, 1, 2], [0]] == results
    assert [22.0, 12.0, 13.0] == meter.told()["seconds"]


def test_a_closed_generator_runs_its_finally() -> None:
    count = _generator()
    meter = metered(count)
    made = count(3)
    next(made)
    made.close()

    assert [11.0, 0.0, 0.0] == meter.told()["seconds"]


def test_a_generator_inside_of_itself_counts_once() -> None:
    def down(n: int) -> Iterator[int]:
        work(1)
        yield n
        if n:
            yield from down(n - 1)

    meter = metered(down)

    assert [3, 2, 1, 0] == list(down(3))
    assert ([4.0, 0.0, 0.0], 1) == (meter.told()["seconds"], meter.told()["calls"])


def test_lines_of_a_generator_are_counted() -> None:
    count = _generator()
    meter = metered(count, count=True)
    first = count.__code__.co_firstlineno
    list(count(5))
    lines = meter.told()["lines"]

    assert 5 == lines[str(first + 4)]


class _Later:
    """Gives control back to the loop some times."""

    def __init__(self, times: int) -> None:
        self.times = times

    def __await__(self) -> Iterator[Any]:
        for _ in range(self.times):
            yield None
        return self.times


def test_a_coroutine_does_the_same_and_waiting_is_not_timed() -> None:
    async def load(times: int) -> int:
        work(1)
        got: int = await _Later(times)  # type: ignore[misc]
        work(2)
        if times > 2:
            raise KeyError(times)
        return got

    async def other() -> None:
        for _ in range(5):
            work(100)
            await asyncio.sleep(0)

    async def main() -> tuple[Any, ...]:
        return tuple(
            await asyncio.gather(load(1), other(), load(2), load(3), return_exceptions=True)
        )

    meter = metered(load)
    first, _, second, third = asyncio.run(main())

    assert (1, 2, "KeyError(3)") == (first, second, repr(third))
    assert inspect.iscoroutinefunction(load)
    assert [3.0, 3.0, 3.0] == meter.told()["seconds"]


def test_a_generator_based_coroutine_can_still_be_awaited() -> None:
    @types.coroutine
    def old() -> Iterator[Any]:
        work(1)
        yield None
        return 7

    async def main() -> int:
        return await old()

    meter = metered(old)

    assert 7 == asyncio.run(main())
    assert [1.0, 0.0, 0.0] == meter.told()["seconds"]


def _asynchronous() -> Callable[[int], AsyncIterator[Any]]:
    async def stream(n: int) -> AsyncIterator[Any]:
        try:
            for number in range(n):
                work(1)
                await asyncio.sleep(0)
                try:
                    got = yield number
                except ValueError as error:
                    got = f"caught {error}"
                if got:
                    yield got
        finally:
            work(10)

    return stream


def _run(main: Awaitable[Any]) -> Any:
    async def outer() -> Any:
        return await main

    return asyncio.run(outer())


def test_an_asynchronous_generator_does_the_same() -> None:
    stream: Any = _asynchronous()
    meter = metered(stream)

    async def main() -> list[Any]:
        made = stream(3)
        found = [await made.__anext__(), await made.asend("sent"), await made.__anext__()]
        work(1000)
        found.append(await made.athrow(ValueError("thrown")))
        found += [each async for each in made]
        return found

    assert [0, "sent", 1, "caught thrown", 2] == _run(main())
    assert inspect.isasyncgenfunction(stream)
    assert [13.0, 0.0, 0.0] == meter.told()["seconds"]


def test_a_closed_asynchronous_generator_runs_its_finally() -> None:
    stream: Any = _asynchronous()
    meter = metered(stream)

    async def main() -> None:
        made = stream(3)
        await made.__anext__()
        await made.aclose()

    _run(main())

    assert [11.0, 0.0, 0.0] == meter.told()["seconds"]


def test_the_line_of_a_with_counts_once_a_block(tmp_path: Any) -> None:
    import contextlib

    def suppressed(n: int) -> int:
        count = 0
        for _ in range(n):
            with contextlib.suppress(KeyError):
                count += 1
        return count

    lines = Lines(suppressed.__code__)
    lines.watch(lambda: suppressed(30))
    first = suppressed.__code__.co_firstlineno

    assert 30 == lines.times[first + 3]
    assert 30 == lines.times[first + 4]
