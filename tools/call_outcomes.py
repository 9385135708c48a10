"""Compares `coscope call` with real calls of functions, methods and classes of installed packages.

python tools/call_outcomes.py PACKAGE... [--callables 200] [--calls 4] [--seed 11] [--verbose]

Draws callables by a seed, decorated ones first, and calls each at the limits of its signature. What
CPython does is the oracle, in a process of its own for each package: the call is made, and a trace
function ends it where the innermost function that coscope names is entered. So a call binds if that
function starts, and raises if a TypeError comes before, with the same message.

What a wrapper does before it hands the call on really runs. A call that ends there by any other
exception is counted as not comparable.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import inspect
import io
import json
import os
import pkgutil
import random
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType, FunctionType
from typing import Any

_SECONDS = 120  # for one package
_LEFT_ALONE = ("test", "exit", "kill", "main", "system", "fork", "abort", "remove", "rmtree")


class Entered(BaseException):
    """The innermost function was entered."""


def callables_of(package: str) -> Iterator[tuple[str, Any]]:
    """Names and objects: of the package's modules, and of their classes."""
    root = importlib.import_module(package)
    names = [package]
    names += [
        each.name
        for each in pkgutil.iter_modules(getattr(root, "__path__", ()), f"{package}.")
        if not each.name.rpartition(".")[2].startswith(("_", "test"))
    ]
    for name in names:
        with contextlib.suppress(Exception), contextlib.redirect_stdout(io.StringIO()):
            module = importlib.import_module(name)
            yield from _inside(module, name)


def _inside(module: Any, name: str) -> Iterator[tuple[str, Any]]:
    for attribute, thing in sorted(vars(module).items()):
        own = getattr(thing, "__module__", None) == name
        if attribute.startswith("_") or not own or any(w in attribute for w in _LEFT_ALONE):
            continue
        if callable(thing):
            yield f"{name}:{attribute}", thing
        if isinstance(thing, type):
            for each, value in sorted(vars(thing).items()):
                kinds: tuple[type, ...] = (FunctionType, classmethod, staticmethod)
                if isinstance(value, kinds) and not any(w in each for w in _LEFT_ALONE):
                    yield f"{name}:{attribute}.{each}", getattr(thing, each)


def drawn(package: str, count: int, seed: int) -> list[tuple[str, Any]]:
    """Callables by a seed: wrappers and objects that are no plain functions come first."""
    found = list(callables_of(package))
    chance = random.Random(f"{package} {seed}")
    chance.shuffle(found)
    found.sort(key=lambda entry: _is_plain(entry[1]))
    return found[:count]


def _is_plain(thing: Any) -> bool:
    function = getattr(thing, "__func__", thing)
    return (
        type(function) is FunctionType
        and not function.__closure__
        and ("__wrapped__" not in vars(function))
    )


def calls_of(thing: Any, count: int, chance: random.Random) -> list[tuple[int, tuple[str, ...]]]:
    """Numbers of positional arguments, and keywords, at the limits of what is reported."""
    try:
        parameters = list(inspect.signature(thing).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    required = [p for p in positional if p.default is p.empty]
    named = tuple(p.name for p in parameters if p.kind is p.KEYWORD_ONLY and p.default is p.empty)
    found = [
        (len(required), named),
        (len(positional) + 1, named),
        (max(len(required) - 1, 0), named),
        (len(required), (*named, "no_such_name")),
        (0, tuple(p.name for p in required if p.kind is not p.POSITIONAL_ONLY) + named),
    ]
    chance.shuffle(found)
    return list(dict.fromkeys(found))[:count]


def real(thing: Any, count: int, names: tuple[str, ...], goals: list[Any]) -> tuple[str, str]:
    """What CPython does: "binds", "raises" and its message, or "other" and the exception."""

    def watch(frame: FrameType, event: str, argument: object) -> Callable[..., Any] | None:
        if event == "call" and any(frame.f_code is goal for goal in goals):
            raise Entered
        return None

    sys.settrace(watch)
    try:
        result = thing(*range(1, count + 1), **dict.fromkeys(names, 0))
        if inspect.iscoroutine(result):
            result.send(None)
    except Entered:
        return "binds", ""
    except TypeError as error:
        return "raises", str(error)
    except BaseException as error:
        return "other", type(error).__name__
    finally:
        sys.settrace(None)
    return "returned", ""


def compare(package: str, callables: int, calls: int, seed: int) -> dict[str, Any]:
    """Every call of one package: how often each pair of answers came, and the calls that differ."""
    from coscope.facts.calls.binding import explain

    counts: Counter[str] = Counter()
    wrong: list[str] = []
    used = 0
    for name, thing in drawn(package, callables, seed):
        used += 1
        for count, names in calls_of(thing, calls, random.Random(f"{name} {seed}")):
            keywords = dict.fromkeys(names, 0)
            binding = explain(thing, tuple(range(1, count + 1)), keywords)
            by_name = explain(name, tuple(range(1, count + 1)), keywords)
            shown = f"{name}({count}, {', '.join(names)})"
            if (binding.outcome, binding.error) != (by_name.outcome, by_name.error):
                wrong.append(f"{shown}: by name {by_name.outcome}, by object {binding.outcome}")
            entered = [s.function.object.__code__ for s in binding.stages if s.error is None]
            goals = entered[-1:] if binding.error is None else []
            with contextlib.redirect_stdout(io.StringIO()):
                outcome, message = real(thing, count, names, goals)
            counts[f"{binding.outcome} / {_sort(outcome, message, binding)}"] += 1
            if _differ(binding, outcome, message):
                wrong.append(f"{shown}: {binding.outcome} {binding.error}; {outcome} {message}")
    return {"callables": used, "counts": counts, "wrong": wrong}


def _sort(outcome: str, message: str, binding: Any) -> str:
    if outcome == "raises" and binding.outcome == "raises":
        return "the same message" if message == binding.error else "another TypeError"
    return outcome


def _differ(binding: Any, outcome: str, message: str) -> bool:
    """True if the real call shows that the answer is wrong; "if" is never wrong."""
    if binding.outcome == "if" or outcome == "other":
        return False
    if binding.outcome == "binds":
        # Without Python code to enter, a TypeError may come from the function's own work.
        return outcome == "raises" and bool(binding.stages)
    return outcome != "raises" or message != binding.error


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("packages", nargs="+")
    parser.add_argument("--callables", type=int, default=200, help="of all packages together")
    parser.add_argument("--calls", type=int, default=4, help="of each")
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inside:
        with contextlib.redirect_stdout(sys.stderr):
            found = compare(options.packages[0], options.callables, options.calls, options.seed)
        print(json.dumps(found))
        return 0
    each = -(-options.callables // len(options.packages))
    total: Counter[str] = Counter()
    wrong: list[str] = []
    callables = 0
    for package in options.packages:
        answer = _in_a_process(package, each, options)
        if answer is None:
            print(f"{package}: not compared (it ended, or took more than {_SECONDS} s)")
            continue
        callables += answer["callables"]
        total.update(answer["counts"])
        wrong += answer["wrong"]
    print(f"{callables} callables of {len(options.packages)} packages, {sum(total.values())} calls")
    for answers, count in total.most_common():
        print(f"  {count:>6}  coscope / CPython: {answers}")
    print(f"{len(wrong)} answers are wrong")
    for line in wrong if options.verbose else wrong[:20]:
        print(f"  {line}")
    return 1 if wrong else 0


def _in_a_process(package: str, callables: int, options: Any) -> dict[str, Any] | None:
    words = ["--inside", "--callables", str(callables), "--calls", str(options.calls)]
    command = [sys.executable, str(Path(__file__)), package, *words, "--seed", str(options.seed)]
    with tempfile.TemporaryDirectory() as folder:
        try:
            done = subprocess.run(
                command,
                capture_output=True,
                text=True,
                timeout=_SECONDS,
                cwd=folder,
                env={**os.environ, "HOME": folder},
                stdin=subprocess.DEVNULL,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return None
    if done.returncode:
        return None
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


if __name__ == "__main__":
    sys.exit(main())
