"""Run something while it is watched: by debuggers, profilers, coverage tools, and by eye."""

from __future__ import annotations

import copy
import dis
import inspect
import io
import sys
import traceback
from collections.abc import Callable
from random import Random
from types import CodeType, FrameType
from typing import Any

from mutation import world

WAYS = ("not", "not", "traced", "traced", "profiled", "monitored", "monitored", "all at once")
_TOOL = 4


def watched(way: str, code: CodeType, do: Callable[[], None]) -> None:
    """Do something while all code is watched in one of `WAYS`."""
    if way in ("traced", "all at once"):
        sys.settrace(_traced)
    if way in ("profiled", "all at once"):
        sys.setprofile(_profiled)
    monitors = way in ("monitored", "all at once") and hasattr(sys, "monitoring")
    if monitors:
        _monitor(code)
    try:
        do()
    finally:
        sys.settrace(None)
        sys.setprofile(None)
        if monitors:
            _let_go(code)


def _traced(frame: FrameType, event: str, argument: object) -> Any:
    frame.f_trace_opcodes = True
    world.locals_of(frame)
    frame.f_lineno  # noqa: B018
    return _traced


def _profiled(frame: FrameType, event: str, argument: object) -> None:
    world.locals_of(frame)


def _events() -> list[int]:
    events: Any = sys.monitoring.events  # type: ignore[attr-defined,unused-ignore]
    every = [getattr(events, name) for name in dir(events) if name.isupper()]
    # C_RETURN and C_RAISE come with CALL, and cannot be asked for alone.
    apart = {events.C_RETURN, events.C_RAISE}
    return [event for event in every if event and event & event - 1 == 0 and event not in apart]


def _monitor(code: CodeType) -> None:
    monitoring: Any = sys.monitoring  # type: ignore[attr-defined,unused-ignore]
    monitoring.use_tool_id(_TOOL, "mutants")
    wanted = 0
    for event in _events():
        monitoring.register_callback(_TOOL, event, lambda *arguments: None)
        wanted |= event
    monitoring.set_events(_TOOL, wanted)


def _let_go(code: CodeType) -> None:
    monitoring: Any = sys.monitoring  # type: ignore[attr-defined,unused-ignore]
    monitoring.set_events(_TOOL, 0)
    for event in _events():
        monitoring.register_callback(_TOOL, event, None)
    monitoring.free_tool_id(_TOOL)


def looked_at(random: Random, function: Any, error: BaseException | None) -> None:
    """What the standard library says of a function, its code and its last exception."""
    code = function.__code__ if hasattr(function, "__code__") else function
    draw = random.random()
    if draw < 0.15:
        dis.dis(code, file=io.StringIO(), depth=1)
        dis.dis(code, file=io.StringIO(), depth=0, adaptive=True, show_caches=True)
    elif draw < 0.3 and function is not code:
        inspect.signature(function)
        inspect.getclosurevars(function)
        inspect.getsourcefile(function)
    elif draw < 0.4:
        copy.copy(function), copy.deepcopy(function), code.replace(co_name="copied")
    if error is not None and draw < 0.1:
        traceback.print_exception(error, file=io.StringIO())
        list(traceback.walk_tb(error.__traceback__))
