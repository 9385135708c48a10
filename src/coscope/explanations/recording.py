"""Records a run: the locals when an exception passes, and the store of each variable that ran last.

`sys.monitoring` from 3.12 on: an instruction that stores nothing is reported once and never again.
Before, the trace function of the interpreter. Code of the library is not watched.
"""

from __future__ import annotations

import sys
from collections import OrderedDict, deque
from collections.abc import Mapping
from types import CodeType, FrameType
from typing import Any

from coscope.errors import InputError
from coscope.readers.frames import frame_locals
from coscope.readers.from_function import from_code_object
from coscope.readers.libraries import is_library

_FRAMES = 5_000  # of which the stores are kept
_RAISED = 200  # frames whose locals are kept
_TOOLS = (3, 4, 5, 1, 2, 0)  # the first two have no predefined use

Stores = dict[int, tuple[str, ...]]  # byte offset -> variables


class Recording:
    """What a run did so far."""

    def __init__(self) -> None:
        self._stores: OrderedDict[int, dict[str, int]] = OrderedDict()  # by id of the frame
        # The exception and the frame are held, so that their ids stay their own.
        self._raised: deque[tuple[BaseException, FrameType, dict[str, object]]] = deque(
            maxlen=_RAISED
        )
        self._codes: dict[int, tuple[CodeType, Stores]] = {}

    def locals_at(self, error: BaseException, frame: FrameType) -> Mapping[str, object] | None:
        """The locals when the exception passed through the frame first."""
        for held, where, found in self._raised:
            if held is error and where is frame:
                return found
        return None

    def stores_of(self, frame: FrameType) -> dict[str, int]:
        """By variable: byte offset of the store that ran last."""
        return dict(self._stores.get(id(frame), {}))

    # What happens

    def start(self, frame: FrameType) -> None:
        """A frame begins: what was kept of another at its place is over."""
        self._stores.pop(id(frame), None)

    def store(self, frame: FrameType, names: tuple[str, ...], offset: int) -> None:
        """A variable is about to be stored or deleted."""
        kept = self._stores.get(id(frame))
        if kept is None:
            kept = self._stores[id(frame)] = {}
            if len(self._stores) > _FRAMES:
                self._stores.popitem(last=False)
        for name in names:
            kept[name] = offset

    def passing(self, frame: FrameType, error: BaseException) -> None:
        """An exception is raised in a frame or comes to it."""
        if self.locals_at(error, frame) is None:
            self._raised.append((error, frame, dict(frame_locals(frame))))

    def stores_in(self, co: CodeType) -> Stores:
        """The offsets of a code object's stores; none in the library."""
        held = self._codes.get(id(co))
        if held is None:
            found = {} if is_library(co.co_filename) else stores_of_code(co)
            held = self._codes[id(co)] = co, found
        return held[1]


def stores_of_code(co: CodeType) -> Stores:
    """Byte offset of each instruction that stores or deletes variables -> their names."""
    from coscope.opcodes import table

    code = from_code_object(co)
    columns = code.instructions
    rows = table(code.version).by_code
    found: Stores = {}
    for index in range(len(columns)):
        row = rows[columns.opcodes[index]]
        if row is None or not row.access:
            continue
        verbs = [access.split() for access in row.access]
        value = columns.argval(index)
        names = value if isinstance(value, tuple) else (value,)
        stored = tuple(
            name
            for (verb, kind), name in zip((v[:2] for v in verbs), names, strict=False)
            if verb in ("write", "delete") and kind != "attribute" and isinstance(name, str)
        )
        if stored:
            found[columns.offsets[index]] = stored
    return found


def record_run() -> Recording:
    """Begin to record this process, until it ends.

    Raises:
        InputError: Every tool id of `sys.monitoring` is taken.
    """
    recording = Recording()
    monitoring: Any = getattr(sys, "monitoring", None)
    if monitoring is None:
        import threading

        follow = tracer(recording)
        threading.settrace(follow)
        sys.settrace(follow)
        return recording
    tool = next((each for each in _TOOLS if monitoring.get_tool(each) is None), None)
    if tool is None:
        raise InputError("every tool id of sys.monitoring is taken")
    monitoring.use_tool_id(tool, "coscope explain")
    events = monitoring.events

    def executing(co: CodeType, offset: int) -> object:
        names = recording.stores_in(co).get(offset)
        if names is None:
            return monitoring.DISABLE
        recording.store(sys._getframe(1), names, offset)
        return None

    def started(co: CodeType, offset: int) -> object:
        if is_library(co.co_filename):
            return monitoring.DISABLE
        recording.start(sys._getframe(1))
        return None

    def raised(co: CodeType, offset: int, error: BaseException) -> None:
        if not is_library(co.co_filename):
            recording.passing(sys._getframe(1), error)

    monitoring.register_callback(tool, events.INSTRUCTION, executing)
    monitoring.register_callback(tool, events.PY_START, started)
    monitoring.register_callback(tool, events.RAISE, raised)
    monitoring.set_events(tool, events.INSTRUCTION | events.PY_START | events.RAISE)
    return recording


def tracer(recording: Recording) -> Any:
    """The trace function that fills a recording."""

    def follow(frame: FrameType, event: str, argument: Any) -> Any:
        if event == "call":
            if is_library(frame.f_code.co_filename):
                return None
            recording.start(frame)
            frame.f_trace_opcodes = True
            frame.f_trace_lines = False
        elif event == "opcode":
            names = recording.stores_in(frame.f_code).get(frame.f_lasti)
            if names is not None:
                recording.store(frame, names, frame.f_lasti)
        elif event == "exception":
            recording.passing(frame, argument[1])
        return follow

    return follow
