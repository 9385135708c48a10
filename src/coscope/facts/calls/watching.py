"""Ways to learn what a run executes: `sys.monitoring` (3.12+), else opcode tracing."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import get_ident
from types import FrameType
from typing import Any

from coscope.errors import InputError, InternalError
from coscope.facts.calls.entries import Recorder, Stopped

_GRACE = 1000  # instructions after the stop, so that `finally` blocks can end

# Tool ids 3 and 4 have no predefined use; the others come next, if they are free.
_TOOLS = (3, 4, 5, 1, 2, 0)

_LOCAL = ("PY_START", "PY_RESUME", "PY_RETURN", "PY_YIELD", "INSTRUCTION")
_GLOBAL = ("RAISE", "PY_UNWIND", "PY_THROW")


@contextmanager
def watching(recorder: Recorder) -> Iterator[None]:
    """Report to the recorder what this thread executes of its code, until the block ends.

    Another tool's events, and a trace function that was set, are as before afterwards.

    Raises:
        InputError: All of `sys.monitoring`'s tool ids are taken.
        InternalError: The recorder failed; the run itself went on.
    """
    way = _by_monitoring if hasattr(sys, "monitoring") else _by_trace_function
    guard = _Guard(recorder)
    with way(guard):
        yield
    if guard.fault is not None:
        raise InternalError("a run could not be recorded") from guard.fault


class _Guard:
    """Passes on the events of this thread's watched frames, and stops a run that is too long."""

    def __init__(self, recorder: Recorder) -> None:
        self.recorder = recorder
        self.thread = get_ident()
        self.after = 0  # instructions since the stop
        self.fault: Exception | None = None  # of the recorder's own: never the user's to see

    def report(self, frame: FrameType, event: Callable[..., None], *what: object) -> None:
        """Pass an event on."""
        if self.recorder.full or not self.ours(frame):
            return
        try:
            event(frame, *what)
        except RecursionError:
            raise  # the run is too deep: it would have had the same a few frames later
        except Exception as error:
            self.fault = error
            self.recorder.full = True

    def step(self, frame: FrameType, offset: int) -> None:
        """Report that an instruction is about to be executed; after the bound, stop the run."""
        self.report(frame, self.recorder.step, offset)
        if self.recorder.full and self.fault is None and self.ours(frame):
            self.after += 1
            if self.after > _GRACE:
                raise Stopped

    def ours(self, frame: FrameType) -> bool:
        return get_ident() == self.thread and id(frame.f_code) in self.recorder.watched


@contextmanager
def _by_monitoring(guard: _Guard) -> Iterator[None]:
    monitoring: Any = vars(sys)["monitoring"]
    events = monitoring.events
    tool = next((each for each in _TOOLS if monitoring.get_tool(each) is None), None)
    if tool is None:
        raise InputError(
            "every tool id of sys.monitoring is taken", hint="End a debugger, profiler or tracer."
        )
    codes = [watched.live for watched in guard.recorder.watched.values()]
    monitoring.use_tool_id(tool, "coscope")
    try:
        for name, callback in _callbacks(guard).items():
            monitoring.register_callback(tool, getattr(events, name), callback)
        for code in codes:
            monitoring.set_local_events(tool, code, _mask(events, _LOCAL))
        monitoring.set_events(tool, _mask(events, _GLOBAL))
        yield
    finally:
        monitoring.set_events(tool, 0)
        for code in codes:
            monitoring.set_local_events(tool, code, 0)
        for name in (*_LOCAL, *_GLOBAL):
            monitoring.register_callback(tool, getattr(events, name), None)
        monitoring.free_tool_id(tool)


def _mask(events: object, names: tuple[str, ...]) -> int:
    mask = 0
    for name in names:
        mask |= getattr(events, name)
    return mask


def _callbacks(guard: _Guard) -> dict[str, Callable[..., None]]:
    """By event. The frame of the event is the one that called."""
    recorder = guard.recorder

    def started(code: object, offset: int) -> None:
        guard.report(sys._getframe(1), recorder.start)

    def resumed(code: object, offset: int) -> None:
        guard.report(sys._getframe(1), recorder.resume)

    def thrown(code: object, offset: int, error: BaseException) -> None:
        guard.report(sys._getframe(1), recorder.resume, error)

    def executing(code: object, offset: int) -> None:
        guard.step(sys._getframe(1), offset)

    def yielded(code: object, offset: int, value: object) -> None:
        guard.report(sys._getframe(1), recorder.suspend, value)

    def returned(code: object, offset: int, value: object) -> None:
        guard.report(sys._getframe(1), recorder.finish, value)

    def raised(code: object, offset: int, error: BaseException) -> None:
        guard.report(sys._getframe(1), recorder.raised, offset, error)

    def unwound(code: object, offset: int, error: BaseException) -> None:
        guard.report(sys._getframe(1), recorder.unwound, error)

    return {
        "PY_START": started,
        "PY_RESUME": resumed,
        "PY_THROW": thrown,
        "INSTRUCTION": executing,
        "PY_YIELD": yielded,
        "PY_RETURN": returned,
        "RAISE": raised,
        "PY_UNWIND": unwound,
    }


@contextmanager
def _by_trace_function(guard: _Guard) -> Iterator[None]:
    before = sys.gettrace()
    sys.settrace(_Tracer(guard).called)
    try:
        yield
    finally:
        sys.settrace(before)


# They raise the exception that is being handled. `RERAISE 1`, which ends every handler, raises
# what was raised last.
_RAISE_THE_HANDLED = (("RERAISE", 0), ("RERAISE", 2))


class _Tracer:
    """The trace function: the events of `sys.settrace` in the recorder's terms."""

    def __init__(self, guard: _Guard) -> None:
        self.guard = guard
        self.recorder = guard.recorder
        # All by id() of a frame that has not ended.
        self.started: set[int] = set()
        self.waiting: set[int] = set()  # suspended
        self.thrown: set[int] = set()  # raised, and executed nothing since
        self.errors: dict[int, BaseException] = {}  # raised last

    def called(self, frame: FrameType, event: str, arg: object) -> Any:
        """The global trace function: a frame starts or goes on."""
        if event != "call" or not self.guard.ours(frame) or self.recorder.full:
            return None
        frame.f_trace_opcodes = True
        frame.f_trace_lines = False
        self.waiting.discard(id(frame))
        if id(frame) in self.started:
            self.guard.report(frame, self.recorder.resume)
        else:
            self.started.add(id(frame))
            self.guard.report(frame, self.recorder.start)
        return self.traced

    def traced(self, frame: FrameType, event: str, arg: Any) -> object:
        """The local trace function of a frame."""
        if event == "opcode":
            self._executes(frame)
        elif self.recorder.full:
            return self.traced
        elif event == "exception":
            self._raised(frame, arg[1])
        elif event == "return":
            self._left(frame, arg)
        return self.traced

    def _executes(self, frame: FrameType) -> None:
        if self._operation(frame) in _RAISE_THE_HANDLED:
            handled = sys.exc_info()[1]
            if handled is not None:
                self.errors[id(frame)] = handled
        self.thrown.discard(id(frame))
        self.guard.step(frame, frame.f_lasti)

    def _operation(self, frame: FrameType) -> tuple[str, int | None]:
        """Name and oparg of the instruction that the frame is at."""
        watched = self.recorder.watched[id(frame.f_code)]
        index = watched.index.get(frame.f_lasti)
        columns = watched.code.instructions
        return ("", None) if index is None else (columns.opname(index), columns.arg(index))

    def _raised(self, frame: FrameType, error: BaseException) -> None:
        if self.recorder.ends_iteration(frame, error):
            return
        if id(frame) in self.waiting:
            self.waiting.discard(id(frame))
            self.guard.report(frame, self.recorder.resume, error)
        self.thrown.add(id(frame))
        self.errors[id(frame)] = error
        self.guard.report(frame, self.recorder.raised, frame.f_lasti, error)

    def _left(self, frame: FrameType, value: object) -> None:
        """A frame gave control back: it waits, returned, or ends by an exception."""
        opname = self._operation(frame)[0]
        if id(frame) not in self.thrown and opname == "YIELD_VALUE":
            self.waiting.add(id(frame))
            self.guard.report(frame, self.recorder.suspend, value)
            return
        error = self.errors.pop(id(frame), None)
        if opname == "RETURN_VALUE" or error is None:
            self.guard.report(frame, self.recorder.finish, value)
        else:
            self.guard.report(frame, self.recorder.unwound, error)
        for frames in (self.started, self.thrown):
            frames.discard(id(frame))
