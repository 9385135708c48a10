"""Try to pickle objects, within limits, and find what prevents it.

This runs the objects' own code (`__reduce__`, `__getstate__`, ...), which nothing else in this room
does. Only `capture(..., pickle=True)` comes here.
"""

from __future__ import annotations

import pickle
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any, NamedTuple

from coscope.facts.shipping.cargo import ATOMS, Step, Walk, parts_of
from coscope.facts.shipping.clocks import Clock
from coscope.facts.shipping.picklability import Expectation
from coscope.facts.shipping.references import CLOUDPICKLE
from coscope.readers.attributes import MISSING
from coscope.readers.values import shortened, type_name_of

MOST_BYTES = 1 << 34  # of a pickle; they are counted and thrown away
_REASON_WIDTH = 300  # characters of an error's message


class Attempt(NamedTuple):
    """How one try to pickle an object ended."""

    takes: bool | None  # None: a limit stopped it
    bytes: int  # written until then
    error: str | None = None  # of what was raised: its type and message
    last: object = MISSING  # the object that was being pickled when it failed
    too_deep: bool = False  # RecursionError


class _Stopped(BaseException):
    """A limit was reached. No Exception, so that no code of an object catches it."""


class _Sink:
    """A file that counts what is written, and keeps none of it."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.bytes = 0

    def write(self, data: Any) -> int:
        size = memoryview(data).nbytes
        self.bytes += size
        if self.bytes > MOST_BYTES or self.clock.over():
            raise _Stopped
        return size


def is_installed(tool: str) -> bool:
    """True if the tool can be imported."""
    return tool != CLOUDPICKLE or find_spec(CLOUDPICKLE) is not None


def attempt(thing: object, tool: str, clock: Clock) -> Attempt:
    """Pickle an object to nowhere, by the tool's own default protocol.

    The clock is read at each object and each write; code of an object that never ends is not
    stopped.
    """
    sink = _Sink(clock)
    if clock.over():
        return Attempt(None, 0)
    pickler = _tracking(tool)(sink, clock)
    try:
        pickler.dump(thing)
    except _Stopped:
        return Attempt(None, sink.bytes)
    except Exception as error:
        deep = isinstance(error, RecursionError) or isinstance(error.__cause__, RecursionError)
        return Attempt(False, sink.bytes, _told(error), pickler.last, deep)
    return Attempt(True, sink.bytes)


@cache
def _tracking(tool: str) -> Any:
    """The tool's pickler, made to remember which object it is at."""
    base: Any = import_module(CLOUDPICKLE).Pickler if tool == CLOUDPICKLE else pickle.Pickler

    class Tracking(base):  # type: ignore[misc]
        def __init__(self, sink: _Sink, clock: Clock) -> None:
            super().__init__(sink)
            self.last: object = MISSING
            self.clock = clock
            self.count = 0

        def persistent_id(self, thing: object) -> None:
            """Called for each object before it is written; None: write it as usual."""
            self.last = thing
            self.count += 1
            if not self.count & 63 and self.clock.over():
                raise _Stopped

    return Tracking


def _told(error: Exception) -> str:
    """Type and message of an error; its class may be anybody's."""
    try:
        message = str(error)
    except Exception:
        message = "its message cannot be had"
    text = f"{type_name_of(error)}: {message}" if message else type_name_of(error)
    return shortened(" ".join(text.split()), _REASON_WIDTH)


def try_to_pickle(
    thing: object, tool: str, path: tuple[Step, ...], clock: Clock
) -> tuple[Expectation, int]:
    """Pickle an object, and if it is refused find the path to the first culprit.

    Returns:
        What happened, and the number of bytes of the pickle.
    """
    tried = attempt(thing, tool, clock)
    if tried.takes is None:
        reason = f"not finished in the time given; {tried.bytes:,} bytes were written"
        return Expectation(None, path, MISSING, reason), tried.bytes
    if tried.takes:
        return Expectation(True), tried.bytes
    if tried.too_deep:
        return Expectation(False, path, thing, f"nested too deeply: {tried.error}"), 0
    return _culprit(thing, tool, path, tried, clock), 0


def _culprit(
    thing: object, tool: str, path: tuple[Step, ...], tried: Attempt, clock: Clock
) -> Expectation:
    """The object at which pickling stopped, and a path to it through the parts of the target."""
    last = tried.last
    if last is not MISSING and id(type(last)) not in ATOMS:
        steps = path if last is thing else _way(thing, last, tool, path, clock)
        if steps is not None:
            alone = attempt(last, tool, clock)
            if alone.takes is False:
                return Expectation(False, steps, last, alone.error)
    return _descend(thing, tool, path, tried, clock)


def _way(
    thing: object, wanted: object, tool: str, path: tuple[Step, ...], clock: Clock
) -> tuple[Step, ...] | None:
    """The shortest path from an object to one of its parts, or None."""
    walk = Walk(thing, path)
    for at, part in walk:
        for step, inner in parts_of(part, tool):
            if inner is wanted:
                return (*walk.path(at), step)
            walk.meet(at, step, inner)
            if not walk.count & 15 and clock.over():
                return None
    return None


def _descend(
    thing: object, tool: str, path: tuple[Step, ...], tried: Attempt, clock: Clock
) -> Expectation:
    """Follow parts that are refused on their own, down to one whose parts are all taken.

    An object that is refused for nothing but a part further up, to which it leads back, is left
    again for the next part.
    """
    seen = {id(thing)}
    open_parts = [(thing, path, tried, iter(parts_of(thing, tool)))]
    blamed = [False]  # of each open part: one of its parts is refused too
    while open_parts:
        part, steps, failed, rest = open_parts[-1]
        for step, inner in rest:
            if id(type(inner)) in ATOMS:
                continue
            again = id(inner) in seen
            inner_failed = attempt(inner, tool, clock)
            if inner_failed.takes is None:
                reason = f"{failed.error}; the time given was over before its cause was found"
                return Expectation(False, steps, part, reason)
            if inner_failed.takes:
                continue
            blamed[-1] = True
            if not again:
                seen.add(id(inner))
                inner_steps = (*steps, step)
                parts = iter(parts_of(inner, tool))
                open_parts.append((inner, inner_steps, inner_failed, parts))
                blamed.append(False)
                break
        else:
            if not blamed[-1]:
                return _at_state(part, steps, failed)
            open_parts.pop()
            blamed.pop()
    return Expectation(False, path, thing, tried.error)


def _at_state(part: object, steps: tuple[Step, ...], failed: Attempt) -> Expectation:
    """The culprit is what an object's own code made of it, or the object itself."""
    last = failed.last
    if last is MISSING or last is part or id(type(last)) in ATOMS:
        return Expectation(False, steps, part, failed.error)
    return Expectation(False, (*steps, Step("state", "")), last, failed.error)
