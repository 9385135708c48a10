"""`trace`: what is executed is recorded, loops are folded, and everything is put back."""

from __future__ import annotations

import functools
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from coscope.errors import InputError, InternalError, NoCodeObject, TargetError
from coscope.facts.calls.entries import Entry, Recorder
from coscope.facts.calls.tracing import Trace, trace

MONITORING: Any = getattr(sys, "monitoring", None)


def kinds(found: Trace) -> list[str]:
    return [entry.kind for entry in found.entries if entry.kind != "instruction"]


def instructions(found: Trace) -> list[Entry]:
    return [entry for entry in found.entries if entry.kind == "instruction"]


def told(found: Trace, kind: str) -> list[str]:
    return [entry.text for entry in found.entries if entry.kind == kind]


def folds(found: Trace) -> list[tuple[int, str]]:
    return [(entry.count, entry.text) for entry in found.entries if entry.kind == "fold"]


def add(a: int, b: int) -> int:
    c = a + b
    return c * 2


def test_each_instruction_has_the_locals_before_it_and_the_stack() -> None:
    found = trace(add, (1, 2))

    assert ["enter", "return"] == kinds(found)
    store = next(e for e in instructions(found) if e.opname == "STORE_FAST")
    assert ((("a", "1"), ("b", "2")), ("a + b",)) == (store.locals, store.stack)
    last = instructions(found)[-1]
    assert (("a", "1"), ("b", "2"), ("c", "3")) == last.locals
    assert ("c * 2",) == last.stack
    assert ("returned", "6") == (found.outcome, found.value and found.value.text)
    assert found.executed == len(instructions(found))


def count(n: int) -> int:
    total = 0
    for i in range(n):
        total += i
    return total


def test_iterations_that_went_the_same_way_are_folded() -> None:
    found = trace(count, (100,))

    assert [(98, "iterations")] == folds(found)
    assert "4950" == (found.value and found.value.text)
    at = next(at for at, entry in enumerate(found.entries) if entry.kind == "fold")
    assert ("i", "98") in found.entries[at + 1].locals  # the last iteration is shown


def test_an_iteration_that_goes_a_new_way_is_shown() -> None:
    def odd(n: int) -> int:
        hits = 0
        for i in range(n):
            if i == 50:
                hits += 1
        return hits

    found = trace(odd, (100,))

    assert [(48, "iterations"), (48, "iterations")] == folds(found)


def test_loops_in_loops_are_folded_each() -> None:
    def table(n: int) -> int:
        cells = 0
        for _ in range(n):
            for _ in range(n):
                cells += 1
        return cells

    found = trace(table, (10,))

    # The first row; then, after eight rows that are left out, the last.
    assert [(8, "iterations")] * 3 == folds(found)
    assert "100" == (found.value and found.value.text)


def test_a_loop_of_two_iterations_is_shown_whole() -> None:
    found = trace(count, (2,))

    assert [] == folds(found)


def factorial(n: int) -> int:
    return 1 if n < 2 else n * factorial(n - 1)


def test_recursion_is_labelled_by_depth() -> None:
    found = trace(factorial, (3,))

    frames = [(e.frame, e.depth) for e in found.entries if e.kind == "enter"]
    assert [(1, 0), (2, 1), (3, 2)] == frames
    assert ["1", "2", "6"] == told(found, "return")


def test_an_exception_is_shown_with_its_instruction() -> None:
    def handled(d: dict[str, int]) -> int:
        try:
            return d["x"]
        except KeyError:
            raise ValueError("no", 3) from None

    found = trace(handled, ({},))

    raised = [e for e in found.entries if e.kind == "raise"]
    assert ["KeyError('x')", "ValueError('no', 3)"] == [e.text for e in raised]
    first = found.entries[found.entries.index(raised[0]) - 1]
    assert "BINARY" in first.opname  # BINARY_SUBSCR, or from 3.14 BINARY_OP
    assert (first.offset, first.line) == (raised[0].offset, raised[0].line)
    assert ["ValueError('no', 3)"] == told(found, "unwind")
    assert ("raised", "ValueError('no', 3)") == (found.outcome, found.value and found.value.text)


def test_the_exception_that_ends_a_frame_is_named_through_every_handler() -> None:
    def nested() -> None:
        try:
            raise KeyError("first")
        finally:
            try:
                raise ValueError("second")
            except ValueError:
                pass

    found = trace(nested)

    assert ["KeyError('first')", "ValueError('second')"] == told(found, "raise")
    assert ["KeyError('first')"] == told(found, "unwind")


def test_leaving_the_interpreter_is_an_outcome() -> None:
    def leave() -> None:
        sys.exit(3)

    found = trace(leave)

    assert ("raised", "SystemExit(3)") == (found.outcome, found.value and found.value.text)


# Generators and coroutines


def numbers(n: int) -> Iterator[int]:
    for i in range(n):  # noqa: UP028
        yield i


def test_a_generator_is_driven_and_its_suspensions_shown() -> None:
    found = trace(numbers, (2,))

    assert ["enter", "suspend", "resume", "suspend", "resume", "return"] == kinds(found)
    assert ["0", "1"] == told(found, "suspend")
    assert 3 == found.rounds
    assert "driven to its end" in str(found.note)


def test_rounds_that_went_the_same_way_are_folded() -> None:
    found = trace(numbers, (100,))

    assert (97, "rounds") in folds(found)


def test_an_endless_generator_is_closed() -> None:
    closed = []

    def endless() -> Iterator[int]:
        try:
            while True:
                yield 1
        finally:
            closed.append(True)

    found = trace(endless, steps=50)

    assert [True] == closed
    assert "stopped" == found.outcome
    assert found.rounds <= 50


class Endless:
    def __await__(self) -> Iterator[None]:
        while True:
            yield


@pytest.mark.parametrize("waits", [True, False])
def test_an_endless_async_generator_is_closed(waits: bool) -> None:
    closed = []

    async def endless() -> AsyncIterator[int]:
        try:
            while True:
                yield 1
                if waits:
                    await Endless()  # type: ignore[misc]
        finally:
            closed.append(True)

    found = trace(endless, steps=60)

    assert ("stopped", [True]) == (found.outcome, closed)


def test_a_coroutine_that_waits_for_ever_is_closed() -> None:
    closed = []

    async def endless() -> None:
        try:
            await Endless()  # type: ignore[misc]
        finally:
            closed.append(True)

    found = trace(endless, steps=60)

    assert ("stopped", [True]) == (found.outcome, closed)


def test_a_coroutine_is_driven_without_a_loop() -> None:
    class Wait:
        def __await__(self) -> Iterator[str]:
            yield "waiting"

    async def work() -> int:
        await Wait()  # type: ignore[misc]
        return 3

    found = trace(work)

    assert "suspend" in kinds(found)
    assert ["'waiting'"] == told(found, "suspend")
    assert "3" == (found.value and found.value.text)


def test_an_async_generator_is_driven() -> None:
    async def produce() -> AsyncIterator[int]:
        yield 1
        yield 2

    found = trace(produce)

    assert 2 == len(told(found, "suspend"))
    assert "driven to its end" in str(found.note)


def test_a_generator_of_somebody_else_is_left_alone() -> None:
    made = numbers(3)

    found = trace(lambda: made)

    assert 0 == found.rounds
    assert [0, 1, 2] == list(made)


# Bounds


def test_an_endless_loop_is_stopped() -> None:
    def endless() -> None:
        while True:
            pass

    found = trace(endless, steps=20)

    assert "stopped" == found.outcome
    assert 2001 == found.executed
    assert ["iterations"] == [text for _, text in folds(found)]


def test_steps_bound_the_entries() -> None:
    def straight() -> int:
        a = 1
        b = 2
        c = 3
        return a + b + c

    found = trace(straight, steps=4)

    assert 4 == len(found.entries)
    assert "stopped" == found.outcome


def test_finally_blocks_run_when_it_is_stopped() -> None:
    ended = []

    def endless() -> None:
        try:
            while True:
                pass
        finally:
            ended.append(True)

    trace(endless, steps=5)

    assert [True] == ended


@pytest.mark.skipif(MONITORING is None, reason="a trace function that raised is not called again")
def test_code_that_swallows_everything_is_stopped_too() -> None:
    def stubborn() -> None:
        while True:
            try:
                while True:
                    pass
            except BaseException:
                pass

    assert "stopped" == trace(stubborn, steps=5).outcome


# What is watched


def outer(n: int) -> list[int]:
    def inner(x: int) -> int:
        return x + 1

    return list(map(inner, range(n)))


def test_nested_code_is_shown_only_with_deep() -> None:
    alone, deep = trace(outer, (2,)), trace(outer, (2,), deep=True)

    assert {"outer"} == {entry.code for entry in alone.entries}
    assert {"outer", "outer.<locals>.inner"} == {entry.code for entry in deep.entries}
    assert [0, 1, 1] == [entry.depth for entry in deep.entries if entry.kind == "enter"]


class Point:
    def __new__(cls, *args: int) -> Point:
        return object.__new__(cls)

    def __init__(self, x: int) -> None:
        self.x = x


def test_a_class_shows_new_and_init() -> None:
    found = trace(Point, (1,))

    assert ["Point.__new__", "Point.__init__"] == [
        entry.code for entry in found.entries if entry.kind == "enter"
    ]


def test_other_threads_are_not_recorded() -> None:
    if sys.platform == "emscripten":
        pytest.skip("Pyodide starts no thread")

    def spawn() -> None:
        thread = threading.Thread(target=spawn_none)
        thread.start()
        thread.join()

    def spawn_none() -> None:
        factorial(3)

    found = trace(spawn)

    assert 1 == kinds(found).count("enter")


def test_long_opargs_are_recorded_where_they_stand() -> None:
    source = "def f():\n" + "".join(f"    x{i} = {i}.5\n" for i in range(300)) + "    return x299\n"
    namespace: dict[str, Any] = {}
    exec(source, namespace)

    found = trace(namespace["f"], steps=2000)

    assert "299.5" == (found.value and found.value.text)
    assert all(entry.stack is not None for entry in instructions(found))


class Lying:
    def __repr__(self) -> str:
        raise AssertionError

    __str__ = __repr__


class RefusingError(Exception):
    def __str__(self) -> str:
        raise AssertionError

    __repr__ = __str__


def test_no_user_code_shows_a_value() -> None:
    def give(x: Any) -> Any:
        y = x
        raise RefusingError(y)

    found = trace(give, (Lying(),))

    assert "raised" == found.outcome
    assert "Lying at 0x" in str(found.value and found.value.text)
    assert str(found)


def test_a_cached_result_runs_nothing() -> None:
    cached = functools.lru_cache(add)

    first, second = trace(cached, (1, 2)), trace(cached, (1, 2))

    assert (None, "6") == (first.note, first.value and first.value.text)
    assert ((), "6") == (second.entries, second.value and second.value.text)
    assert "cache" in str(second.note)


def test_values_sent_through_nested_generators_are_seen() -> None:
    def relay() -> Iterator[int]:
        def inner() -> Iterator[int]:
            yield 1

        yield from inner()
        yield 2

    found = trace(relay, deep=True)

    assert [("inner", "1"), ("relay", "1"), ("relay", "2")] == [
        (entry.code.rpartition(".")[2], entry.text)
        for entry in found.entries
        if entry.kind == "suspend"
    ]


# What is refused


def test_a_call_that_does_not_bind_is_not_run() -> None:
    found = trace(add, (1,))

    assert ("refused", ()) == (found.outcome, found.entries)
    assert "missing 1 required positional argument: 'b'" in str(found)


def test_code_of_a_file_cannot_run(tmp_path: Any) -> None:
    (tmp_path / "app.py").write_text("def f(): pass\n")

    with pytest.raises(TargetError):
        trace(f"{tmp_path / 'app.py'}::f")


def test_c_code_cannot_be_traced() -> None:
    with pytest.raises(NoCodeObject):
        trace(len, ([],))


def test_a_fault_of_the_recorder_is_no_exception_of_the_function(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ran = []

    def careless() -> None:
        try:
            ran.append(1)
        except Exception:
            ran.append(2)

    def fail(self: Recorder, frame: Any, value: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Recorder, "finish", fail)
    with pytest.raises(InternalError):
        trace(careless)

    assert [1] == ran


def test_too_deep_a_recursion_is_the_functions_own_error() -> None:
    if sys.platform == "emscripten":
        pytest.skip("Pyodide's stack is shallow")

    def deeper(n: int) -> int:
        return deeper(n + 1)

    found = trace(deeper, (0,), steps=50_000)

    assert "raised" == found.outcome
    assert "RecursionError" == (found.value and found.value.type_name)


# What is put back


def test_a_trace_function_is_put_back() -> None:
    def mine(frame: Any, event: str, arg: Any) -> None:
        return None

    before = sys.gettrace()
    sys.settrace(mine)
    try:
        trace(add, (1, 2))
        after = sys.gettrace()
    finally:
        sys.settrace(before)

    assert after is mine


@pytest.mark.skipif(MONITORING is None, reason="3.12")
@pytest.mark.parametrize("run", [lambda: add(1, 2), lambda: 1 / 0])
def test_monitoring_is_put_back(run: Callable[[], Any]) -> None:
    before = [MONITORING.get_tool(tool) for tool in range(6)]

    trace(run)

    assert before == [MONITORING.get_tool(tool) for tool in range(6)]
    free = before.index(None)
    MONITORING.use_tool_id(free, "test")
    try:
        assert 0 == MONITORING.get_local_events(free, run.__code__)
        assert 0 == MONITORING.get_events(free)
    finally:
        MONITORING.free_tool_id(free)


@pytest.mark.skipif(MONITORING is None, reason="3.12")
def test_without_a_free_tool_it_says_so() -> None:
    free = [tool for tool in range(6) if MONITORING.get_tool(tool) is None]
    for tool in free:
        MONITORING.use_tool_id(tool, "test")
    try:
        with pytest.raises(InputError):
            trace(add, (1, 2))
    finally:
        for tool in free:
            MONITORING.free_tool_id(tool)


def test_it_can_be_traced_again() -> None:
    first, second = trace(count, (5,)), trace(count, (5,))

    assert first.entries == second.entries


# As a result


def test_it_prints_and_dumps() -> None:
    found = trace(count, (100,))

    assert "… 98 more iterations" in str(found)
    document = found.to_json()
    assert ["returned", 98] == [
        document["trace"]["outcome"],
        sum(entry["count"] for entry in document["trace"]["entries"]),
    ]


class Prepared(dict):  # type: ignore[type-arg]
    """A namespace of a class body that must not be asked in Python."""

    def items(self) -> Any:
        raise AssertionError("a user's items() was called")


class Preparing(type):
    @classmethod
    def __prepare__(cls, name: str, bases: Any, **rest: Any) -> Prepared:
        return Prepared()


def with_class_body(base: Any, metaclass: Any) -> type:
    class Body(base, metaclass=metaclass):  # type: ignore[misc]
        first = 1
        second = first + 1

    return Body


def test_the_locals_of_a_class_body_are_those_of_its_namespace() -> None:
    """Of such a frame `f_locals` is a plain dict, and names are no fast locals."""
    found = trace(with_class_body, (object, type), deep=True)
    inside = [each for each in found.entries if each.code.endswith("Body")]
    last = [each for each in inside if each.kind == "instruction"][-1]

    assert "returned" == found.outcome
    assert {("first", "1"), ("second", "2")} <= set(last.locals)


def test_a_namespace_of_the_users_is_read_without_its_methods() -> None:
    found = trace(with_class_body, (object, Preparing), deep=True)

    assert "returned" == found.outcome
