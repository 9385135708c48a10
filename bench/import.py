"""How long `import coscope` and `coscope show json:dumps` take, over a bare interpreter.

    python bench/import.py [ROUNDS]

Each round starts every command once, in turn; the medians of wall time are compared. The first
round, which may still have to write .pyc files, does not count.
"""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import sys
import time

COMMANDS = {
    "python -c pass": ["-c", "pass"],
    "import coscope": ["-c", "import coscope"],
    "coscope.read('json:dumps')": ["-c", "import coscope; coscope.read('json:dumps')"],
    "import json": ["-c", "import json"],
    "coscope show json:dumps": ["-m", "coscope", "show", "json:dumps"],
}
ROUNDS = 21


def measure(rounds: int) -> dict[str, float]:
    """Median milliseconds of each command."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(rounds + 1):
        for name, words in COMMANDS.items():
            began = time.perf_counter()
            command = [sys.executable, *words]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment)
            times[name].append(1000 * (time.perf_counter() - began))
    return {name: statistics.median(found[1:]) for name, found in times.items()}


def main() -> None:
    """Print a line for each command."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    medians = measure(rounds)
    bare = medians["python -c pass"]
    print(f"CPython {platform.python_version()}, median of {rounds} rounds")
    for name, median in medians.items():
        print(f"{name:28} {median:7.1f} ms  {median - bare:+7.1f} ms  {median / bare:5.2f}x")


if __name__ == "__main__":
    main()
