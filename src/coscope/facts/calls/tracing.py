"""`trace`: run a call and record every instruction that it executes. This runs the user's code."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from types import AsyncGeneratorType, CodeType, CoroutineType, FunctionType, GeneratorType
from typing import Any

from coscope.errors import TargetError
from coscope.facts.calls.binding import Binding, explain
from coscope.facts.calls.callees import reach
from coscope.facts.calls.entries import Entry, Recorder, Stopped, exception_text
from coscope.facts.calls.watching import watching
from coscope.model import Value
from coscope.readers import read
from coscope.readers.attributes import is_a
from coscope.readers.frames import UNREAD, crashes_when_read
from coscope.readers.values import text_of, value_of
from coscope.result import Result

STEPS = 1000  # entries kept, if the caller does not say


@dataclass(frozen=True, slots=True)
class Trace(Result):
    """What a call executed: entries in order, loops folded, and how it ended."""

    binding: Binding
    entries: tuple[Entry, ...]
    outcome: str  # "returned", "raised", "stopped", or "refused" if the call did not bind
    value: Value | None  # what it returned, or the exception
    executed: int  # instructions of the watched code
    steps: int  # the bound on the entries
    rounds: int  # values asked of a generator or coroutine
    note: str | None  # what happened beyond the call itself


def trace(
    fn: object,
    args: Sequence[object] = (),
    kwargs: Mapping[str, object] | Sequence[tuple[Any, object]] = (),
    *,
    steps: int = STEPS,
    deep: bool = False,
    unwrap: bool = False,
) -> Trace:
    """Call a function, and record each instruction with the locals and the stack before it.

    Only frames of the function that the call reaches are recorded. A generator or coroutine that
    it returns is driven to its end, by `next()` and `send(None)`, without an event loop.
    Iterations of a loop that take a path that was shown already are folded.

    Args:
        fn: As for `call`; a function of a file cannot run.
        args: Positional arguments.
        kwargs: Keyword arguments.
        steps: Entries to keep. The function is stopped, by an exception raised inside it, when
            they are used up, or after 100 times as many instructions.
        deep: Record the code nested in the function too: its lambdas, comprehensions, classes.
        unwrap: Follow `__wrapped__` of decorated functions first.

    Returns:
        The entries. An exception of the function is in the result, and not raised.

    Raises:
        InputError: The target is known from a file only, or what `call` raises, or every tool id
            of `sys.monitoring` is taken.

    >>> trace(lambda x: x + 1, [2]).value.text
    '3'
    """
    binding = explain(fn, args, kwargs, unwrap=unwrap)
    if binding.object is None:
        raise TargetError(
            f"{binding.target} cannot be run: it is known from a file only",
            hint="Name it as module:name.",
        )
    live, refused = _recorded(binding)
    recorder = Recorder(_codes_of(live, deep), max(1, steps))
    if refused:
        return _refused(binding, steps)
    pairs = dict(kwargs)
    run = _Run(recorder, live[-1].__code__ if live else None, max(1, steps))
    with watching(recorder):
        run.call(lambda: binding.object(*args, **pairs))
    return Trace(
        binding=binding,
        entries=recorder.entries(),
        outcome="stopped" if recorder.full else run.outcome,
        value=None if recorder.full else run.value,
        executed=recorder.executed,
        steps=steps,
        rounds=run.rounds,
        note="; ".join(_notes(run, recorder)) or None,
    )


def _refused(binding: Binding, steps: int) -> Trace:
    return Trace(
        binding=binding,
        entries=(),
        outcome="refused",
        value=None,
        executed=0,
        steps=steps,
        rounds=0,
        note=None,
    )


def _recorded(binding: Binding) -> tuple[list[FunctionType], bool]:
    """The functions that the call itself reaches, and whether it is refused before the last.

    What wrappers pass the call on to is explained by the binding, and not recorded.
    """
    direct = reach(binding.object, binding.arguments)
    live = [s.function.object for s in direct.stages if s.function.object is not None]
    if not live and direct.error is None:
        read(binding.object)  # says what it is instead, if it has no code object
    return live, direct.error is not None or (binding.error is not None and not binding.stages)


def _notes(run: _Run, recorder: Recorder) -> Iterator[str]:
    if not recorder.executed:
        yield _UNSEEN
    elif run.note is not None:
        yield run.note
    for watched in recorder.watched.values():
        if crashes_when_read(watched.live):
            yield f"the locals of {watched.code.qualname} are not shown: {UNREAD}"


_UNSEEN = "nothing of the function's own code was executed: a cache may have held the result"


def _codes_of(functions: list[FunctionType], deep: bool) -> list[CodeType]:
    found: list[CodeType] = []
    pending = [function.__code__ for function in functions]
    while pending:
        code = pending.pop()
        if any(code is other for other in found):
            continue
        found.append(code)
        if deep:
            pending += [each for each in code.co_consts if type(each) is CodeType]
    return found


def _close(waiting: Any) -> None:
    """End an async generator through what waits for its next value, as `aclose` would."""
    with suppress(GeneratorExit, StopIteration, StopAsyncIteration):
        waiting.throw(GeneratorExit())


class _Run:
    """One call, and the driving of what it gives."""

    def __init__(self, recorder: Recorder, code: CodeType | None, bound: int) -> None:
        self.recorder = recorder
        self.code = code
        self.bound = bound  # rounds
        self.rounds = 0
        self.outcome = "returned"
        self.value: Value | None = None
        self.note: str | None = None

    def call(self, function: Callable[[], Any]) -> None:
        """Call; then drive what belongs to the function."""
        try:
            result = function()
            self.value = value_of(result)
            drive = self._driver(result)
            if drive is not None:
                drive(result)
        except Stopped:
            self.outcome = "stopped"
        except BaseException as error:  # SystemExit and KeyboardInterrupt too: they are its outcome
            self.outcome = "raised"
            text = exception_text(error)
            self.value = Value(text.partition("(")[0], text, id(error), error)

    def _driver(self, result: object) -> Callable[[object], None] | None:
        """How to drive the result, if it is made of the function's own code."""
        for cls, attribute, drive in (
            (GeneratorType, "gi_code", self._drive_generator),
            (CoroutineType, "cr_code", self._drive_coroutine),
            (AsyncGeneratorType, "ag_code", self._drive_async_generator),
        ):
            if is_a(result, cls) and vars(cls)[attribute].__get__(result) is self.code:
                return drive
        return None

    def _again(self) -> bool:
        """Begin another round, if there is one left."""
        if self.rounds >= self.bound or self.recorder.full:
            return False
        self.rounds += 1
        self.recorder.next_round()
        return True

    def _drive_generator(self, generator: Any) -> None:
        while self._again():
            try:
                next(generator)
            except StopIteration as end:
                self._ended("the generator", end.value)
                return
        self._cut_off("the generator", generator.close)

    def _drive_coroutine(self, coroutine: Any) -> None:
        while self._again():
            try:
                coroutine.send(None)
            except StopIteration as end:
                self._ended("the coroutine", end.value)
                return
        self._cut_off("the coroutine", coroutine.close)

    def _drive_async_generator(self, generator: Any) -> None:
        waiting = generator.__anext__()
        while self._again():
            try:
                waiting.send(None)
            except StopIteration:
                waiting = generator.__anext__()
            except StopAsyncIteration:
                self._ended("the async generator", None)
                return
        self._cut_off("the async generator", lambda: _close(waiting))

    def _ended(self, what: str, value: object) -> None:
        self.value = value_of(value)
        self.note = f"{what} was driven to its end; it returned {text_of(value)}"

    def _cut_off(self, what: str, close: Callable[[], object]) -> None:
        self.note = f"{what} was closed after {self.rounds} rounds"
        self.outcome = "stopped"
        close()
