"""How fast calls of rebuilt functions are, and how fast a constant is patched.

    python bench/rebuild.py [--rounds 15]

Calls: the original against the same function rebuilt by coscope, made by `types.FunctionType`, and
with its `__code__` assigned. Paired rounds in one process, shuffled, thread CPU time, the median of
the ratios. Patching: `coscope.patch` of one constant, verification included, against the `bytecode`
library (`Bytecode.from_code`, edit, `to_code`, which verifies nothing): the first time, and again
with another value, when the verifier's verdict on the same instructions is known.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import textwrap
import time
from collections.abc import Callable
from types import FunctionType
from typing import Any

import coscope
from coscope.patcher.verdicts import forget


class Caller:
    """Callers whose inline caches belong to one callee, made anew for each."""

    def __init__(self, callee: Callable[..., Any]) -> None:
        space: dict[str, Any] = {"callee": callee, "clock": time.thread_time_ns}
        exec(
            textwrap.dedent(
                """
                def spend(count):
                    f = callee
                    start = clock()
                    for i in range(count):
                        f(i); f(i); f(i); f(i); f(i); f(i); f(i); f(i); f(i); f(i)
                    return clock() - start
                """
            ),
            space,
        )
        self.spend: Callable[[int], int] = space["spend"]


def fresh() -> FunctionType:
    """A function of its own code object, so that nothing is shared between the ways."""
    space: dict[str, Any] = {}
    exec("def plain(x):\n    return x * 30 + 7\n", space)
    made: FunctionType = space["plain"]
    return made


def assigned() -> FunctionType:
    function, other = fresh(), fresh()
    function.__code__ = other.__code__
    return function


def constructed() -> FunctionType:
    base = fresh()
    return FunctionType(base.__code__.replace(), base.__globals__, base.__name__, base.__defaults__)


WAYS: dict[str, Callable[[], Any]] = {
    "original again": fresh,
    "coscope.patch": lambda: coscope.patch(fresh(), constants={7: 8}),
    "types.FunctionType": constructed,
    "__code__ assigned": assigned,
}


def calls(rounds: int, count: int = 20_000) -> None:
    print(f"calls, CPython {sys.version.split()[0]}: time against the original's")
    ratios: dict[str, list[float]] = {way: [] for way in WAYS}
    for _ in range(rounds):
        base = Caller(fresh())
        others = {way: Caller(make()) for way, make in WAYS.items()}
        base.spend(200)
        for caller in others.values():
            caller.spend(200)
        measured: dict[str, list[int]] = {"": [], **{way: [] for way in WAYS}}
        order = ["", *WAYS] * 7
        random.shuffle(order)
        for way in order:
            measured[way].append((others[way] if way else base).spend(count // 10))
        for way in WAYS:
            ratios[way].append(min(measured[way]) / min(measured[""]))
    for way, found in ratios.items():
        low, high = sorted(found)[len(found) // 10], sorted(found)[-1 - len(found) // 10]
        print(f"  {way:20} {statistics.median(found):6.3f}   ({low:.3f} to {high:.3f})")


def samples() -> list[tuple[FunctionType, Any]]:
    """Functions of the standard library with an int, float or string constant to change."""
    import argparse as a
    import difflib
    import json.decoder
    import statistics as s
    import textwrap as t

    found = []
    for module in (a, difflib, json.decoder, s, t):
        for thing in list(vars(module).values()):
            members = list(vars(thing).values()) if isinstance(thing, type) else [thing]
            for function in members:
                if type(function) is not FunctionType or function.__module__ != module.__name__:
                    continue
                for constant in function.__code__.co_consts[1:]:
                    if type(constant) in (int, float, str) and _loads(function, constant):
                        found.append((function, constant))
                        break
    return found


def _loads(function: FunctionType, constant: Any) -> bool:
    try:
        coscope.patch(function, constants=[(constant, type(constant)())], folded="leave")
    except coscope.CoscopeError:
        return False
    return True


def by_coscope(function: FunctionType, constant: Any) -> None:
    coscope.patch(function, constants=[(constant, type(constant)())], folded="leave")


def by_coscope_anew(function: FunctionType, constant: Any) -> None:
    """Nothing is known of the function: it is verified from scratch."""
    forget()
    by_coscope(function, constant)


def by_bytecode(function: FunctionType, constant: Any) -> None:
    from bytecode import Bytecode, Instr

    listing = Bytecode.from_code(function.__code__)
    for instruction in listing:
        loads = isinstance(instruction, Instr) and instruction.name == "LOAD_CONST"
        if loads and type(instruction.arg) is type(constant) and instruction.arg == constant:
            instruction.arg = type(constant)()
    code = listing.to_code()
    FunctionType(
        code, function.__globals__, function.__name__, function.__defaults__, function.__closure__
    )


def patching(rounds: int) -> None:
    cases = samples()
    random.Random(3).shuffle(cases)
    cases = cases[:80]
    size = sum(len(function.__code__.co_code) for function, _ in cases)
    print(f"patching one constant of {len(cases)} functions, {size // len(cases)} bytes each")
    try:
        import bytecode
    except ImportError:
        print("  the library `bytecode` is not installed")
        return
    ways = {
        "coscope, first time": by_coscope_anew,
        "coscope, again": by_coscope,
        f"bytecode {bytecode.__version__}": by_bytecode,
    }
    spent: dict[str, list[int]] = {way: [] for way in ways}
    for _ in range(rounds):
        for way in random.sample(sorted(ways), len(ways)):
            start = time.thread_time_ns()
            for function, constant in cases:
                ways[way](function, constant)
            spent[way].append(time.thread_time_ns() - start)
    best = {way: min(found) / len(cases) / 1000 for way, found in spent.items()}
    for way, found in best.items():
        print(f"  {way:20} {found:9.0f} us a function")
    first, again, other = best.values()
    print(f"  ratio {other / first:.1f} the first time, {other / again:.1f} again")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    calls(options.rounds)
    patching(max(3, options.rounds // 4))


if __name__ == "__main__":
    main()
