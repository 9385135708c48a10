"""How far the null run of `coscope tune` lies from 1: by slices of 2 ms, and by shorter ones.

python bench/tune.py [PROCESSES]

Each process takes as long for each size. Run it while other programs keep the machine busy.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from statistics import median, pstdev

from coscope.tuner.inside import timing

SIZES = ((0.002, 60), (0.001, 120), (timing.SLICE, 300), (0.0002, 600))  # seconds, rounds


def total(values: list[int]) -> int:
    """What is measured."""
    found = 0
    for value in values:
        found += abs(value) + len(values)
    return found


def once() -> list[float]:
    """The null's ratio for each size, in this process."""
    values = list(range(50))

    def run(calls: int) -> int:
        for _ in range(calls):
            found = total(values)
        return found

    def install(code: object) -> None:
        total.__code__ = code

    copies = [total.__code__.replace() for _ in range(2)]
    installs = [lambda code=code: install(code) for code in copies]
    found = []
    for size, rounds in SIZES:
        clocks = timing.Clocks("time:thread_time", "time:perf_counter")
        clocks.slice = size
        for put in installs:
            put()
            timing.warm(run, timing.calls_of(run, clocks), clocks)
        calls = timing.calls_of(run, clocks)
        rows = timing.by_turns([run, run], installs, calls, rounds, 1, clocks)
        found.append(median(one / other for one, other in rows))
    return found


def main() -> None:
    """Measure in processes of its own, and print the scatter."""
    if sys.argv[1:] == ["once"]:
        print(json.dumps(once()))
        return
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 30
    started = time.perf_counter()
    rows = []
    for _ in range(count):
        done = subprocess.run([sys.executable, __file__, "once"], capture_output=True, check=True)
        rows.append(json.loads(done.stdout))
    print(f"{count} processes, {time.perf_counter() - started:.0f} s; null ratios")
    for at, (size, rounds) in enumerate(SIZES):
        ratios = [row[at] for row in rows]
        far = sorted(abs(each - 1) for each in ratios)
        ninety = far[int(0.9 * (len(far) - 1))]
        print(
            f"  {rounds:4d} rounds of {size * 1e3:.1f} ms: deviation {pstdev(ratios):.4f},"
            f" 90th percentile {ninety:.4f}, greatest {far[-1]:.4f}"
        )


if __name__ == "__main__":
    main()
