"""Short slices of thread CPU time, interleaved.

Slices of 0.4 ms lie so close together that what else the machine does falls on all forms alike:
on two busy cores the median ratio of 240 pairs of 0.5 ms scatters a tenth as much as that of 60
pairs of 2 ms, which take as long.
"""

from __future__ import annotations

import gc
import importlib
import random
import textwrap
import time
from typing import Any, Callable, Dict, List, Sequence

Clock = Callable[[], float]  # seconds

SLICE = 0.0004  # seconds that one measurement takes, about
_WAITS = 20  # slices of wall time after which a call that waits is long enough
_MOST_CALLS = 100000
_TICKS = 50  # of the clock, that a slice takes at least
_CACHED = 1100  # calls of a function, from which CPython 3.8 to 3.10 cache names and attributes
_WARM, _LONGEST = 0.05, 0.25  # seconds for each form before the first measurement
_OPERATIONS = 10  # times that a calibrated statement is repeated in its loop
_ROUNDS = 15  # of a calibration


class Clocks:
    """The clock for what code costs, and the one for how long it takes."""

    def __init__(self, cost: str, wall: str) -> None:
        self.cost: Clock = clock_of(cost)
        self.wall: Clock = clock_of(wall)
        module, _, name = cost.partition(":")
        tick = time.get_clock_info(name).resolution if module == "time" else 0.0  # type: ignore[arg-type]
        self.slice = max(SLICE, _TICKS * tick)


def clock_of(name: str) -> Clock:
    """The function that "module:function" names."""
    module, _, function = name.partition(":")
    clock: Clock = getattr(importlib.import_module(module), function)
    return clock


def calls_of(run: Callable[[int], object], clocks: Clocks) -> int:
    """How many calls take about as long as a slice."""
    calls = 1
    while True:
        began, started = clocks.wall(), clocks.cost()
        run(calls)
        taken, wall = clocks.cost() - started, clocks.wall() - began
        if taken >= clocks.slice or wall >= _WAITS * clocks.slice or calls >= _MOST_CALLS:
            share = max(taken / clocks.slice, wall / (_WAITS * clocks.slice))
            return max(1, int(calls / share)) if share > 1 else calls
        calls *= 2


def warm(run: Callable[[int], object], calls: int, clocks: Clocks) -> None:
    """Run a form until the interpreter has specialised what it can, or cached it."""
    done, began = 0, clocks.wall()
    while True:
        run(calls)
        done += calls
        taken = clocks.wall() - began
        if taken >= _LONGEST or (taken >= _WARM and done >= _CACHED):
            return


def by_turns(
    runs: Sequence[Callable[[int], object]],
    installs: Sequence[Callable[[], None]],
    calls: int,
    rounds: int,
    seed: int,
    clocks: Clocks,
) -> List[List[float]]:
    """Seconds of a call of each form, round by round; the order within a round is by chance."""
    chance = random.Random(seed)
    cost = clocks.cost
    order = list(range(len(runs)))
    found: List[List[float]] = []
    gc.collect()
    gc.disable()
    try:
        for _ in range(rounds):
            chance.shuffle(order)
            taken = [0.0] * len(runs)
            for which in order:
                installs[which]()
                run = runs[which]
                started = cost()
                run(calls)
                taken[which] = (cost() - started) / calls
            found.append(taken)
    finally:
        gc.enable()
    return found


def calibrate(request: Dict[str, Any]) -> Dict[str, object]:
    """Nanoseconds that the slow statement of each pair takes more, by round."""
    clocks = Clocks(request["clock"], request["wall"])
    found: Dict[str, object] = {}
    for code, pair in request["pairs"].items():
        try:
            found[code] = _differences(pair, clocks)
        except Exception as error:  # a pair may need a later Python
            found[code] = "%s: %s" % (type(error).__name__, error)
    return {"differences": found}


def _differences(pair: Dict[str, Any], clocks: Clocks) -> List[float]:
    namespace: Dict[str, object] = {}
    exec(pair["setup"], namespace)
    loops = []
    for statement, begin in (
        (pair["slow"], pair["begin"]),
        (pair["fast"], pair["begin_fast"] or pair["begin"]),
    ):
        lines = ["def loop(n):", "    " + begin, "    for _ in range(n):"]
        lines += [textwrap.indent(statement, "        ")] * _OPERATIONS
        held: Dict[str, Any] = {}
        exec("\n".join(lines), namespace, held)
        loops.append(held["loop"])
    times = min(2000, calls_of(loops[0], clocks))
    for loop in loops:
        for _ in range(_CACHED):
            loop(0)
        loop(times)
        loop(times)
    found = []
    for number in range(_ROUNDS):
        taken = [0.0, 0.0]
        for which in (0, 1) if number % 2 else (1, 0):
            started = clocks.cost()
            loops[which](times)
            taken[which] = clocks.cost() - started
        found.append((taken[0] - taken[1]) * 1e9 / (times * _OPERATIONS * pair["operations"]))
    return found
