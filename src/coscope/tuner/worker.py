"""Measures two forms of one function, in a process of its own and any CPython from 3.8 on.

This file is run as a script: a request as JSON on standard input, the answer as JSON on the last
line of standard output. It imports nothing of coscope.
"""

from __future__ import annotations

import builtins
import gc
import importlib
import inspect
import json
import os
import platform
import random
import sys
import textwrap
import time
from typing import Any, Callable, Dict, List, Tuple

_SECONDS = 0.002  # that one measurement takes, about
_MOST_CALLS = 200000
_CACHED = 1100  # calls of a function, from which CPython 3.8 to 3.10 cache names and attributes
_WARM = 0.1  # seconds of each form before the first measurement


def main() -> None:
    """Answer one request."""
    request = json.load(sys.stdin)
    sys.path.insert(0, os.getcwd())
    sys.path[1:1] = request.get("path", [])
    try:
        answer = _ANSWERS[request["do"]](request)
    except Exception as error:  # the user's code may raise anything
        answer = {"error": "%s: %s" % (type(error).__name__, error)}
    sys.stdout.write("\n" + json.dumps(answer) + "\n")


def describe(request: Dict[str, Any]) -> Dict[str, Any]:
    """Where a function comes from, and its source."""
    function = _find(request["target"])[2]
    co = function.__code__
    lines, first = inspect.getsourcelines(function)
    return {
        "source": "".join(lines),
        "line": first,
        "file": co.co_filename,
        "free": list(co.co_freevars),
        "name": function.__name__,
        "qualname": function.__qualname__,
        "version": ".".join(platform.python_version_tuple()[:2]),
        "release": platform.python_version(),
        "wrapped": hasattr(function, "__wrapped__"),
    }


def count(request: Dict[str, Any]) -> Dict[str, Any]:
    """How often each line of a function runs in one call, and how long the call takes."""
    function = _find(request["target"])[2]
    co = function.__code__
    lines: Dict[int, int] = {}

    def each_line(frame: Any, event: str, argument: Any) -> Any:
        if event == "line":
            lines[frame.f_lineno] = lines.get(frame.f_lineno, 0) + 1
        return each_line

    def each_call(frame: Any, event: str, argument: Any) -> Any:
        return each_line if frame.f_code is co else None

    run = _runner(request, function)
    sys.settrace(each_call)
    try:
        run(1)
    finally:
        sys.settrace(None)
    return {"lines": {str(line): times for line, times in lines.items()}}


def measure(request: Dict[str, Any]) -> Dict[str, Any]:
    """Time pairs: the function and its other form, and the function and its copy.

    The copy is made as the other form is, from the function's own source: it is the null run. The
    order within a round is random.
    """
    module, owner, function = _find(request["target"])
    source = request["source"]
    copy = _compiled(module, function, source)
    if request.get("against"):
        other = _find(request["against"])[2]
    else:
        other = _compiled(module, function, request["changed"])
    forms = [copy, other, _compiled(module, function, source)]
    names = ("before", "after", "null")
    runs = dict(zip(names, [_placed(request, module, owner, function, each) for each in forms]))
    if request.get("compare", True) and _result(runs["before"]) != _result(runs["after"]):
        return {"error": "the two forms give different results"}
    calls = _calls(runs["before"])
    for run in runs.values():
        _warm(run, calls)
    chance = random.Random(request.get("seed", 0))
    rounds: List[Dict[str, float]] = []
    gc.collect()
    gc.disable()
    try:
        for _ in range(request["rounds"]):
            order = list(names)
            chance.shuffle(order)
            taken = {}
            for name in order:
                started = time.thread_time()
                runs[name](calls)
                taken[name] = (time.thread_time() - started) / calls
            rounds.append(taken)
    finally:
        gc.enable()
    return {"rounds": rounds, "calls": calls}


def calibrate(request: Dict[str, Any]) -> Dict[str, Any]:
    """Nanoseconds that the slow statement of each pair takes more, by round."""
    found: Dict[str, Any] = {}
    for code, pair in request["pairs"].items():
        try:
            found[code] = _differences(pair)
        except Exception as error:  # a pair may need a later Python
            found[code] = "%s: %s" % (type(error).__name__, error)
    return {"differences": found}


def _differences(pair: Dict[str, Any]) -> List[float]:
    namespace: Dict[str, Any] = {}
    exec(pair["setup"], namespace)
    loops = []
    for statement, begin in (
        (pair["slow"], pair["begin"]),
        (pair["fast"], pair["begin_fast"] or pair["begin"]),
    ):
        lines = ["def loop(n):", "    " + begin, "    for _ in range(n):"]
        lines += [textwrap.indent(statement, "        ")] * 10
        held: Dict[str, Any] = {}
        exec("\n".join(lines), namespace, held)
        loops.append(held["loop"])
    times = 500
    for loop in loops:
        for _ in range(_CACHED):
            loop(0)
        loop(times)
        loop(times)
    found = []
    for number in range(15):
        taken = [0.0, 0.0]
        for which in (0, 1) if number % 2 else (1, 0):
            started = time.thread_time()
            loops[which](times)
            taken[which] = time.thread_time() - started
        found.append((taken[0] - taken[1]) * 1e9 / (times * 10 * pair["operations"]))
    return found


def _find(target: str) -> Tuple[Any, Any, Any]:
    """The module, what holds the function, and the function."""
    name, _, qualname = target.partition(":")
    module = importlib.import_module(name)
    owner: Any = module
    *path, last = qualname.split(".")
    for part in path:
        owner = getattr(owner, part)
    held = vars(owner)[last] if isinstance(owner, type) else getattr(owner, last)
    function = getattr(held, "__func__", held)
    if not inspect.isfunction(function):
        raise TypeError("%s is no Python function" % target)
    return module, owner, function


def _compiled(module: Any, function: Any, source: str) -> Any:
    """A function made by running its `def`, with the globals of its module."""
    held: Dict[str, Any] = {}
    code = compile(textwrap.dedent(source), function.__code__.co_filename, "exec")
    exec(code, vars(module), held)
    made = held[function.__name__]
    made.__defaults__, made.__kwdefaults__ = function.__defaults__, function.__kwdefaults__
    made.__qualname__, made.__dict__ = function.__qualname__, dict(function.__dict__)
    return made


def _placed(
    request: Dict[str, Any], module: Any, owner: Any, function: Any, form: Any
) -> Callable[[int], object]:
    """What runs the call so and so often with one form in the function's place."""
    if isinstance(owner, type):
        return _in_class(request, module, owner, function, form)
    namespace = dict(vars(module))
    namespace[request["target"].partition(":")[2]] = form
    return _loop(request, namespace)


def _in_class(
    request: Dict[str, Any], module: Any, owner: Any, function: Any, form: Any
) -> Callable[[int], object]:
    """The same for a method: each form has a subclass of its own, under the name of the class."""
    kind = type(vars(owner)[function.__name__])
    held = form if kind is type(function) else kind(form)
    made = type(owner)(owner.__name__, (owner,), {function.__name__: held, "__slots__": ()})
    namespace = dict(vars(module))
    namespace[owner.__name__] = made
    return _loop(request, namespace)


def _runner(request: Dict[str, Any], function: Any) -> Callable[[int], object]:
    return _loop(request, dict(vars(_find(request["target"])[0])))


def _loop(request: Dict[str, Any], namespace: Dict[str, Any]) -> Callable[[int], object]:
    namespace.setdefault("__builtins__", builtins)
    exec(request.get("setup") or "", namespace)
    source = "def run(n):\n    for _ in range(n):\n        result = %s\n    return result\n"
    held: Dict[str, Any] = {}
    exec(source % request["call"], namespace, held)
    run: Callable[[int], object] = held["run"]
    return run


def _result(run: Callable[[int], object]) -> str:
    """A result as text, if that says what it is: of other objects their type."""
    found = run(1)
    plain = (int, float, complex, str, bytes, bool, type(None), list, tuple, dict, set)
    return repr(found) if type(found) in plain else type(found).__name__


def _calls(run: Callable[[int], object]) -> int:
    calls = 1
    while True:
        started = time.thread_time()
        run(calls)
        taken = time.thread_time() - started
        if taken >= _SECONDS or calls >= _MOST_CALLS:
            return calls
        calls = min(_MOST_CALLS, calls * 2 if taken < _SECONDS / 4 else calls + calls // 2 + 1)


def _warm(run: Callable[[int], object], calls: int) -> None:
    until = time.thread_time() + _WARM
    for _ in range(3):
        run(calls)
    while time.thread_time() < until:
        run(calls)


_ANSWERS = {"describe": describe, "count": count, "measure": measure, "calibrate": calibrate}

if __name__ == "__main__":
    main()
