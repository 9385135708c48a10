"""What measuring costs: `coscope coverage` beside coverage.py and slipcover, on the same programs.

python bench/coverage.py

CPU time of a process, its start and report included, as a ratio to the same program alone; the
best of three, interleaved. Needs the extra `bench`. A short program pays for the start; a hot loop
shows what is left once every instruction has been seen.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ROUNDS = 3

PROGRAMS = {
    "hot loop": """\
def work(n):
    total = 0
    for i in range(n):
        total += i * 2 if i & 1 else (i and i - 1)
    return total
work(20_000_000)
""",
    "many calls": """\
def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)
fib(31)
""",
    "much code once": "".join(
        f"def f{n}(a, b=1):\n    c = a and b\n"
        f"    return [d * c for d in range(3) if d or c]\nf{n}({n})\n"
        for n in range(1500)
    ),
}

TOOLS = {
    "alone": [],
    "coscope coverage": ["-m", "coscope", "coverage", "--lcov", "out.lcov", "--", sys.executable],
    "coverage.py (sysmon)": ["-m", "coverage", "run"],
    "coverage.py (ctrace)": ["-m", "coverage", "run"],
    "coverage.py (ctrace, branches)": ["-m", "coverage", "run", "--branch"],
    "slipcover": ["-m", "slipcover"],
}


def seconds(folder: str, tool: str) -> float:
    """CPU seconds of a run, its children included."""
    environment = dict(os.environ, PYTHONPATH=str(ROOT / "src"))
    environment["COVERAGE_CORE"] = "sysmon" if "sysmon" in tool else "ctrace"
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [sys.executable, *TOOLS[tool], "program.py"],
        cwd=folder,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=True,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Print the ratios."""
    for name, text in PROGRAMS.items():
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "program.py").write_text(text, encoding="utf-8")
            best = dict.fromkeys(TOOLS, float("inf"))
            for _ in range(ROUNDS):
                for tool in TOOLS:
                    best[tool] = min(best[tool], seconds(folder, tool))
        print(f"{name}: alone {best['alone']:.2f} s")
        for tool in list(TOOLS)[1:]:
            print(f"    {tool:<32} {best[tool] / best['alone']:6.2f} x")


if __name__ == "__main__":
    main()
