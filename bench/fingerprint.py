"""How long a fingerprint takes: cold, and kept; against cloudpickle's bytes if it is installed.

python bench/fingerprint.py
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from hashlib import sha256
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from coscope.facts.fingerprints.fingerprints import fingerprint, forget

HELPERS = 100
ROUNDS = 15


def program() -> dict[str, Any]:
    """A function that calls a helper that calls a helper, a hundred times."""
    bodies = [
        f"def helper_{n}(x, y=1):\n"
        f"    if x > {n}:\n"
        f"        return helper_{n + 1}(x - 1) + len(str(x))\n"
        f"    return [item * LIMIT for item in range(y)]\n"
        for n in range(HELPERS)
    ]
    source = "".join(bodies) + f"LIMIT = 3\ndef helper_{HELPERS}(x): return x\n"
    namespace: dict[str, Any] = {"__name__": "__main__"}
    exec(compile(source, "program.py", "exec"), namespace)
    return namespace


def median(run: Callable[[], object], before: Callable[[], object] = lambda: None) -> float:
    """Milliseconds of CPU time."""
    times = []
    for _ in range(ROUNDS):
        before()
        start = time.process_time_ns()
        run()
        times.append(time.process_time_ns() - start)
    return statistics.median(times) / 1e6


def main() -> None:
    target = program()["helper_0"]
    parts = len(fingerprint(target).parts)
    cold = median(lambda: fingerprint(target), forget)
    fingerprint(target)
    kept = median(lambda: [fingerprint(target) for _ in range(100)]) / 100
    print(
        f"{parts} functions: cold {cold:.1f} ms, kept {kept:.3f} ms, {cold / kept:.0f} times less"
    )
    if find_spec("cloudpickle"):
        dumps = import_module("cloudpickle").dumps
        peer = median(lambda: sha256(dumps(target)).hexdigest())
        print(f"cloudpickle by value and SHA-256: {peer:.1f} ms, ratio {cold / peer:.2f}")


if __name__ == "__main__":
    main()
