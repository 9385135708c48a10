"""One call of one function: what it is, what it executes, and how long its forms take."""

from __future__ import annotations

import builtins
import functools
import inspect
import platform
import sys
from types import CodeType, FunctionType, ModuleType
from typing import Any, Callable, Dict, List, Optional, Set, Tuple

from coscope.tuner.inside.forms import (
    Fault,
    Install,
    Place,
    code_install,
    copy_of,
    form_of,
    other_install,
    text_of,
    walk,
)
from coscope.tuner.inside.results import same
from coscope.tuner.inside.timing import Clocks, by_turns, calls_of, warm

Request = Dict[str, Any]  # as it comes from the parent, JSON

Run = Callable[[int], object]

_SLICES, _LONG = 9, 0.5  # measurements of what a call costs; seconds after which they are enough

# Names that no call has: `n` and `result` may be variables of the setup.
_LOOP = """\
def run(coscope_times):
    for coscope_round in range(coscope_times):
        coscope_result = (%s
)
    return coscope_result
"""


def describe(request: Request) -> Dict[str, object]:
    """What a function is, and the text of its file."""
    place = Place(request["target"])
    function = place.function()
    co = function.__code__
    if request.get("against"):
        other = Place(request["against"])
        if not callable(other.held) and not isinstance(other.held, _DESCRIPTORS):
            raise Fault("%s cannot be called" % request["against"])
    return {
        "text": text_of(function),
        "line": co.co_firstlineno,
        "file": co.co_filename,
        "free": list(co.co_freevars),
        "name": co.co_name,
        "qualname": function.__qualname__,
        "version": ".".join(platform.python_version_tuple()[:2]),
        "release": platform.python_version(),
        "modules": _global_names(function, lambda value: isinstance(value, ModuleType)),
        "suppress": _global_names(function, _is_suppress),
        "constructors": _constructors(function),
    }


_DESCRIPTORS = (staticmethod, classmethod, property, functools.cached_property)


def _global_names(function: FunctionType, wanted: Callable[[object], bool]) -> List[str]:
    return sorted(name for name, value in list(function.__globals__.items()) if wanted(value))


def _is(one: object, other: object) -> bool:
    return one is other


def _is_suppress(value: object) -> bool:
    kind = getattr(sys.modules.get("contextlib"), "suppress", None)
    return kind is not None and value is kind


def _constructors(function: FunctionType) -> Dict[str, List[str]]:
    """Names of parameters that a class of the module takes by position, where that is certain."""
    found = {}
    for name, value in list(function.__globals__.items()):
        if type(value) is not type or not _is(value.__new__, object.__new__):
            continue
        init = inspect.getattr_static(value, "__init__", None)
        if isinstance(init, FunctionType) and not hasattr(init, "__wrapped__"):
            co = init.__code__
            if not co.co_flags & (inspect.CO_VARARGS | inspect.CO_VARKEYWORDS):
                only = getattr(co, "co_posonlyargcount", 0)
                found[name] = list(co.co_varnames[1 : co.co_argcount]) if only <= 1 else []
    return found


def count(request: Request) -> Dict[str, object]:
    """How often each line of a function runs in one call, and how long the call takes."""
    place = Place(request["target"])
    function = place.function()
    clocks = Clocks(request["clock"], request["wall"])
    run = _loop(request, dict(vars(place.module)))
    first = Lines(function.__code__)
    result = first.watch(lambda: run(1))
    _refuse_unrun(result, function)
    lines = Lines(function.__code__)
    lines.watch(lambda: run(1))
    if not lines.entered:
        found = "only its first call does" if first.entered else "none"
        raise Fault("the call does not run %s; runs of it: %s" % (request["target"], found))
    seconds, busy = _seconds(run, clocks)
    return {
        "lines": {str(line): times for line, times in lines.times.items()},
        "entered": lines.entered,
        "seconds": seconds,
        "busy": busy,
    }


def _seconds(run: Run, clocks: Clocks) -> Tuple[float, float]:
    """Seconds of CPU time that a call takes at least, and the share of its time spent working."""
    calls = calls_of(run, clocks)
    warm(run, calls, clocks)
    found: List[Tuple[float, float]] = []
    began = clocks.wall()
    while len(found) < _SLICES and (not found or clocks.wall() - began < _LONG):
        wall, cost = clocks.wall(), clocks.cost()
        run(calls)
        found.append((clocks.cost() - cost, clocks.wall() - wall))
    # Of a slice in which other programs had the processor, cost / wall says nothing.
    busy = min(1.0, max(cost / wall if wall > 0 else 1.0 for cost, wall in found))
    return min(cost for cost, _ in found) / calls, busy


class Lines:
    """How often the lines of a code object, and of those in it, are executed."""

    def __init__(self, co: CodeType) -> None:
        self.own = id(co)
        self.within: Set[int] = {id(each) for each in walk(co)}
        # By code object, line, and the instruction at which it was entered.
        self.starts: Dict[Tuple[int, int, int], int] = {}
        lazy = inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR
        self.lazy = co.co_flags & lazy != 0
        self.calls = 0
        self.frames: Dict[int, object] = {}

    @property
    def times(self) -> Dict[int, int]:
        """How often each line was executed.

        The interpreter comes to the line of a `with` again when it leaves the block, and to that of
        a `for` with each item. So of the places at which one code object enters a line, the one
        that ran most often counts.
        """
        most: Dict[Tuple[int, int], int] = {}
        for (code, line, _), times in self.starts.items():
            most[code, line] = max(times, most.get((code, line), 0))
        found: Dict[int, int] = {}
        for (_, line), times in most.items():
            found[line] = found.get(line, 0) + times
        return found

    @property
    def entered(self) -> int:
        """How many calls of the function were executed."""
        return self.calls + len(self.frames)

    def watch(self, call: Callable[[], object]) -> object:
        """Call with a trace function, and give what it returns."""
        before = sys.gettrace()
        sys.settrace(self._each_call)
        try:
            return call()
        finally:
            sys.settrace(before)

    def _each_call(self, frame: Any, event: str, argument: object) -> Any:
        if id(frame.f_code) not in self.within:
            return None
        if id(frame.f_code) == self.own:
            if self.lazy:  # it is entered each time that it goes on
                self.frames[id(frame)] = frame
            else:
                self.calls += 1
        return self._each_line

    def _each_line(self, frame: Any, event: str, argument: object) -> object:
        if event == "line":
            key = (id(frame.f_code), frame.f_lineno, frame.f_lasti)
            self.starts[key] = self.starts.get(key, 0) + 1
        return self._each_line


def _refuse_unrun(result: object, function: FunctionType) -> None:
    for name, what, instead in (
        ("cr_code", "a coroutine", "asyncio.run(...)"),
        ("gi_code", "a generator", "list(...)"),
        ("ag_code", "an asynchronous generator", "asyncio.run(...) of what consumes it"),
    ):
        if getattr(result, name, None) is function.__code__:
            if name == "cr_code":
                result.close()  # type: ignore[attr-defined]
            raise Fault("the call only makes %s and runs nothing of it: use %s" % (what, instead))


def measure(request: Request) -> Dict[str, object]:
    """Seconds of a call: of the function, of its other form, and of its copy, the null run.

    Each form has a setup of its own. The copy is made as the other form is.
    """
    place = Place(request["target"])
    function = place.function()
    clocks = Clocks(request["clock"], request["wall"])
    names = [dict(vars(place.module)) for _ in range(3)]
    runs = [_loop(request, namespace) for namespace in names]
    installs = _installs(request, place, function, names)
    results = []
    for install, run in zip(installs, runs):
        install()
        results.append(run(1))
    if request.get("against"):
        installs[1]()
        _refuse_unplaced(request, runs[1])
    answer: Dict[str, object] = _compared(request, results, names)
    if answer["same"] is False and answer["steady"]:
        return dict(answer, rounds=[], calls=0)
    installs[0]()
    calls = calls_of(runs[0], clocks)
    for install, run in zip(installs, runs):
        install()
        warm(run, calls, clocks)
    installs[0]()
    calls = calls_of(runs[0], clocks)
    rounds = by_turns(runs, installs, calls, request["rounds"], request["seed"], clocks)
    return dict(answer, rounds=rounds, calls=calls)


def _refuse_unplaced(request: Request, run: Run) -> None:
    """Make sure that the call runs the other function, if that is of Python."""
    try:
        other = Place(request["against"]).function()
    except Fault:
        return
    lines = Lines(other.__code__)
    lines.watch(lambda: run(1))
    if not lines.entered:
        raise Fault(
            "the call does not run %s in the place of %s: it must name the function by its module"
            % (request["against"], request["target"])
        )


def _installs(
    request: Request, place: Place, function: FunctionType, names: List[Dict[str, object]]
) -> List[Install]:
    """What puts the function, its other form, and its copy in place."""
    original = function.__code__
    before = request.get("before")
    if before is not None:
        original = form_of(function, before)
    if not request.get("against"):
        after = request.get("after")
        changed = copy_of(original) if after is None else form_of(function, after)
        forms = [copy_of(original), changed, copy_of(original)]
        return [code_install(function, each) for each in forms]
    other = Place(request["against"]).held
    back = [other_install(place, namespace, place.held) for namespace in names]
    into = [code_install(function, copy_of(original)) for _ in names]
    return [_both(back[0], into[0]), other_install(place, names[1], other), _both(back[2], into[2])]


def _both(first: Install, second: Install) -> Install:
    def install() -> None:
        first()
        second()

    return install


def _compared(
    request: Request, results: List[object], names: List[Dict[str, object]]
) -> Dict[str, object]:
    """Whether the other form gives what the function gives, and whether the copy does."""
    made = _bound(request.get("setup") or "")
    told: List[Optional[bool]] = []
    for which in (1, 2):
        result = same(results[0], results[which])
        states = [same(names[0].get(name), names[which].get(name)) for name in made]
        told.append(False if result is False or False in states else result)
    return {"same": told[0], "steady": told[1] is not False}


def _bound(setup: str) -> List[str]:
    """Names of the variables that a setup makes."""
    namespace_names = compile(setup, "<setup>", "exec").co_names
    return [name for name in namespace_names if not name.startswith("__")]


def _loop(request: Request, namespace: Dict[str, object]) -> Run:
    namespace.setdefault("__builtins__", builtins)
    exec(request.get("setup") or "", namespace)
    held: Dict[str, Any] = {}
    exec(compile(_LOOP % request["call"], "<call>", "exec"), namespace, held)
    run: Run = held["run"]
    return run
