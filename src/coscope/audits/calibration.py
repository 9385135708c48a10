"""The least that an operation loses, in nanoseconds, on this machine and this interpreter.

Two small loops that differ in one operation run alternately in short rounds, timed by the clock of
the thread's own CPU time; the loop that is measured second in one round is first in the next. The
answer is a lower bound of the median difference: one rank of the sorted differences. The median
lies below it with a probability of less than 2%.

CPU time is not the same at all times: while other programs share the processor's caches and
pipelines, everything takes up to twice as long. So a third loop, always the same, runs in each
round, and the bound is lowered by as much as that loop took longer than at the quietest time of
the day: on two busy cores it is nearly the same in each run, where it was twice as high in some.
"""

from __future__ import annotations

import gc
import json
import os
import platform
import sys
import textwrap
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from coscope.readers.from_function import HOST_RELEASE, HOST_VERSION

_ROUNDS = 15
_RANK = 3  # of 15 sorted differences: P(median is lower) = P(Binomial(15, 1/2) <= 3) = 0.018
_ROUND = 150_000  # nanoseconds that one loop of a round takes, about
_MOST = 5_000  # rounds of a loop, if the clock does not advance
_UNROLLED = 10  # times that an operation is repeated in the loop
_YARDSTICK = 600  # rounds of the loop that is always the same: 15 us, about
_LEAST_PACE = 0.25  # a slower machine is taken for this
_MOMENTS, _MOMENT = 30, 0.0005  # at which the yardstick is tried first; seconds between them
_WARM = 3  # runs before the first round: the interpreter specialises
_DAY = 86_400  # seconds


Clock = Callable[[], int]  # nanoseconds
CPU: Clock = getattr(time, "thread_time_ns", time.perf_counter_ns)  # Pyodide has no such clock


@dataclass(frozen=True, slots=True)
class Pair:
    """Two statements that do the same; `slow` is what a rule finds, `fast` what it says instead.

    Before them `setup` runs once in the same namespace, and `begin` at each start
    of the loop's function.
    """

    slow: str
    fast: str
    setup: str = ""
    begin: str = "pass"  # of both loops' functions
    begin_fast: str = ""  # of the fast one instead
    operations: int = 1  # that one statement does

    def lower_bound(self, version: str) -> float | None:
        """Nanoseconds that `slow` takes more than `fast`, at least; None for another version."""
        return bound(self) if version == HOST_VERSION else None


@cache
def bound(pair: Pair) -> float:
    """Measure a pair, or take what was measured on this machine in the last day."""
    known = _Known.load()
    key = _key(pair)
    found = known.values.get(key)
    if found is None:
        measured = differences(pair)
        known.quiet = min(known.quiet or _quietest(), quiet([each.yardstick for each in measured]))
        found = round(at_pace(measured, known.quiet), 2)
        known.values[key] = found
        known.save()
    return found


def lower_bound(measured: Sequence[float]) -> float:
    """The lower bound of the median."""
    return sorted(measured)[_RANK * len(measured) // _ROUNDS]


def at_pace(measured: Sequence[Difference], quietest: float) -> float:
    """The lower bound as it would be if nothing else had run; never greater than measured."""
    bound = lower_bound([each.nanoseconds for each in measured])
    pace = quietest / median(each.yardstick for each in measured)
    return bound * min(1.0, max(_LEAST_PACE, pace)) if bound > 0 else bound


def quiet(yardsticks: Sequence[float]) -> float:
    """What the yardstick takes when nothing else runs: the second least, lest a fault count."""
    return sorted(yardsticks)[1 % len(yardsticks)]


def _quietest() -> float:
    """What the yardstick takes at the quietest of some moments: once a day, for 30 ms."""
    yardstick, clock = _yardstick(), CPU
    found = []
    for _ in range(_MOMENTS):
        time.sleep(_MOMENT)
        found.append(max(1, _time(yardstick, _YARDSTICK // _UNROLLED, clock)))
    return quiet(found)


def _yardstick() -> Callable[[int], object]:
    return _loop("a = a + 1", "a = 0", {})


class Difference(NamedTuple):
    """What one round measured."""

    nanoseconds: float  # that `slow` takes more than `fast`, for each operation
    yardstick: float  # nanoseconds that the loop took which is always the same


def differences(pair: Pair, rounds: int = _ROUNDS, clock: Clock = CPU) -> list[Difference]:
    """Measure a pair round by round, by a clock in nanoseconds."""
    namespace: dict[str, object] = {}
    exec(compile(pair.setup, "<calibration>", "exec"), namespace)
    slow = _loop(pair.slow, pair.begin, namespace)
    fast = _loop(pair.fast, pair.begin_fast or pair.begin, namespace)
    yardstick = _yardstick()
    count = _count(slow, clock)
    for _ in range(_WARM):
        slow(count)
        fast(count)
        yardstick(_YARDSTICK // _UNROLLED)
    collects = gc.isenabled()
    gc.disable()
    try:
        found = []
        for number in range(rounds):
            taken = [0, 0]
            for which in (1, 0) if number % 2 else (0, 1):
                taken[which] = _time((slow, fast)[which], count, clock)
            pace = _time(yardstick, _YARDSTICK // _UNROLLED, clock)
            more = (taken[0] - taken[1]) / (count * _UNROLLED * pair.operations)
            found.append(Difference(more, max(1.0, pace)))
        return found
    finally:
        if collects:
            gc.enable()


def _loop(statement: str, begin: str, namespace: dict[str, object]) -> Callable[[int], object]:
    lines = ["def loop(n):", f"    {begin}", "    for _ in range(n):"]
    lines += [textwrap.indent(statement, "        ")] * _UNROLLED
    local: dict[str, Any] = {}
    exec(compile("\n".join(lines), "<calibration>", "exec"), namespace, local)
    made: Callable[[int], object] = local["loop"]
    return made


def _time(loop: Callable[[int], object], count: int, clock: Clock) -> int:
    started = clock()
    loop(count)
    return clock() - started


def _count(loop: Callable[[int], object], clock: Clock) -> int:
    """Rounds of the loop that take about as long as one measurement shall."""
    count = 20
    while True:
        taken = max(1, _time(loop, count, clock))
        if taken >= _ROUND // 4 or count >= _MOST:
            return min(_MOST, max(10, count * _ROUND // taken))
        count *= 2


def _key(pair: Pair) -> str:
    return "\n".join((pair.setup, pair.begin, pair.begin_fast, pair.slow, pair.fast))


@dataclass
class _Known:
    """What was measured before: a file for each interpreter and machine."""

    file: Path | None
    values: dict[str, float]
    since: float  # seconds since the epoch: when the first of them was measured
    quiet: float = 0.0  # nanoseconds that the yardstick took at the quietest time; 0: unknown

    @staticmethod
    @cache
    def load() -> _Known:
        file = _file()
        try:
            held = {} if file is None else json.loads(file.read_text(encoding="utf-8"))
            since = float(held.get("since", 0))
            if held.get("who") == _who() and 0 <= time.time() - since < _DAY:
                values = {str(key): float(value) for key, value in held["values"].items()}
                return _Known(file, values, since, float(held["quiet"]))
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return _Known(file, {}, time.time())  # measuring again is cheap
        return _Known(file, {}, time.time())

    def save(self) -> None:
        """Write the file; without a writable folder the values live as long as the process."""
        if self.file is None:
            return
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            own = self.file.with_name(f"{self.file.name}.{os.getpid()}")
            held = {"who": _who(), "since": self.since, "quiet": self.quiet, "values": self.values}
            text = json.dumps(held, indent=1)
            own.write_text(text, encoding="utf-8")
            own.replace(self.file)
        except OSError:
            self.file = None


def _who() -> list[str]:
    """What the measured values depend on."""
    return [sys.version, sys.executable, platform.node(), platform.machine(), str(os.cpu_count())]


def _file() -> Path | None:
    home = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    if not os.path.isabs(home):
        return None
    return Path(home) / "coscope" / f"calibration-{HOST_RELEASE}.json"
