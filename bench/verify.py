"""How fast code objects are verified, and that the time is linear in the instructions.

    python bench/verify.py library [--files N] [--rounds N]
    python bench/verify.py linear [--rounds N]
    python bench/verify.py jobs [--files N] [--rounds N]

`library`: every code object of the standard library of the interpreter that runs it, in one
process, against `list(dis.get_instructions(code))` and, if it is installed, the identity round trip
of the `bytecode` package, in the same rounds. `linear`: generated functions of some 10,000 and
100,000 instructions. `jobs`: the command `coscope verify` with -j 1 and -j 2. Times are CPU seconds
(of `jobs` wall seconds: it needs two idle cores); figures are medians over the rounds.
"""

from __future__ import annotations

import argparse
import gc
import shutil
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from types import CodeType

from decode import seconds, with_dis
from library import compiled, library

from coscope.model import Code
from coscope.readers.from_function import from_code_object
from coscope.verifier import verify

SIZES = (10_000, 100_000)  # instructions
RELEASE = ".".join(map(str, sys.version_info[:3]))


# The library


def modules(objects: list[CodeType]) -> list[CodeType]:
    """The outermost code objects; verifying goes into the nested ones."""
    return [co for co in objects if co.co_name == "<module>" and co.co_qualname == "<module>"]


def verified(codes: list[Code]) -> int:
    """Verify modules; how many code objects that were."""
    reports = [verify(code) for code in codes]
    rejected = sum(not report.ok for report in reports)
    if rejected:
        raise SystemExit(f"{rejected} modules are rejected")
    return sum(report.codes for report in reports)


def round_trips(objects: list[CodeType]) -> None:
    """The peer `bytecode`: to its own form and back. What it refuses is passed over."""
    from bytecode import Bytecode

    for co in objects:
        try:
            Bytecode.from_code(co).to_code()
        except Exception:  # it raises many kinds
            continue


def measure_library(files: int | None, rounds: int) -> None:
    """Print code objects a second, and ratios to the peers."""
    objects = compiled(library(files))
    outer = modules(objects)
    sources: list[Code] = []
    jobs: dict[str, Callable[[], object]] = {
        "verify": lambda: verified(sources),
        "reading the live code objects, and verify": lambda: verified(
            [from_code_object(co) for co in outer]
        ),
        "list(dis.get_instructions(code))": lambda: with_dis(objects),
    }
    if find_spec("bytecode"):
        jobs["Bytecode.from_code(code).to_code()"] = lambda: round_trips(objects)
    times: dict[str, list[float]] = {name: [] for name in jobs}
    gc.freeze()
    for _ in range(rounds):
        # Decoded columns are kept on a `Code`: each round begins with new ones.
        sources[:] = [from_code_object(co) for co in outer]
        for name, job in jobs.items():
            times[name].append(seconds(job))  # type: ignore[arg-type]
    print(f"CPython {RELEASE}, {len(objects):,} code objects, median of {rounds} rounds")
    ours = times["verify"]
    for name, found in times.items():
        ratio = median(other / own for other, own in zip(found, ours, strict=True))
        rate = len(objects) / median(found)
        print(f"  {name:45} {rate:10,.0f} a second  {ratio:6.2f} x the time of verify")


# Growth


def _straight(size: int) -> str:
    return "    a = b + c\n" * (size // 4)


def _loops(size: int) -> str:
    head = "".join(f"{'    ' * (n + 1)}for v{n} in a:\n" for n in range(15))
    nest = head + "    " * 16 + "b = v3 + v14\n"
    return nest * (size // 95)


def _tries(size: int) -> str:
    lines = [f"{'    ' * (n + 1)}try:\n" for n in range(15)] + ["    " * 16 + "a = b(c)\n"]
    for n in reversed(range(15)):
        lines += [f"{'    ' * (n + 1)}except KeyError as e:\n", "    " * (n + 2) + "b = e\n"]
    return "".join(lines) * (size // 340)


def _cases(size: int) -> str:
    cases = "".join(f"        case {n}:\n            b = c\n" for n in range(size // 8))
    return f"    match a:\n{cases}    return b\n"


def _continues(size: int) -> str:
    tests = "".join(f"        if v == {n}:\n            continue\n" for n in range(size // 6))
    return f"    for v in a:\n{tests}"


def _joins(size: int) -> str:
    text = "a"
    for _ in range(40):
        text = f"f(a, b if c else a, {text} if b else c)"
    return f"    a = {text}\n" * (size // 560)


def _arguments(size: int) -> str:
    return f"    f({', '.join(['a if b else c'] * (size // 5))})\n"


def _locals(size: int) -> str:
    lines = [f"    if a: x{n % 1_000} = b\n" for n in range(size // 5)]
    return "".join(lines)


def _more_locals(size: int) -> str:
    lines = [f"    if a: x{n} = b\n" for n in range(size // 5)]
    return "".join(lines)


SHAPES: dict[str, Callable[[int], str]] = {
    "one straight line": _straight,
    "loops, 15 deep": _loops,
    "try blocks, 15 deep": _tries,
    "one match with thousands of cases": _cases,
    "one loop with thousands of continue": _continues,
    "calls with branches in their arguments, 40 deep": _joins,
    "one call with thousands of branches in its arguments": _arguments,
    "stores to 1,000 locals in branches": _locals,
    "stores to more and more locals in branches": _more_locals,
}


def generated(shape: Callable[[int], str], size: int) -> Code:
    """A function of about so many instructions."""
    text = f"def g(a, b, c, f):\n{shape(size)}"
    module = from_code_object(compile(text, "generated.py", "exec"))
    return next(const for const in module.consts if isinstance(const, Code))


def per_instruction(shape: Callable[[int], str], size: int) -> tuple[float, int]:
    """CPU microseconds for each instruction, and how many there are."""
    code = generated(shape, size)
    gc.collect()
    start = process_time()
    report = verify(code)
    took = process_time() - start
    if not report.ok:
        raise SystemExit(f"rejected: {report.violations[0]}")
    return 1e6 * took / len(code.instructions), len(code.instructions)


def measure_growth(rounds: int) -> None:
    """Print the time for an instruction of short and of long functions."""
    per_instruction(_tries, SIZES[0])  # fills the tables
    print(f"CPython {RELEASE}, us an instruction, median of {rounds} rounds")
    for name, shape in SHAPES.items():
        ratios, short, long, counts = [], [], [], []
        for _ in range(rounds):
            (small, few), (large, many) = (per_instruction(shape, size) for size in SIZES)
            ratios.append(large / small)
            short.append(small)
            long.append(large)
            counts = [few, many]
        print(
            f"  {name:53} {counts[0]:6,}: {median(short):5.2f}  {counts[1]:7,}: {median(long):5.2f}"
            f"  {median(ratios):5.2f} x"
        )


# Processes


def measure_jobs(files: int | None, rounds: int) -> None:
    """Print the wall time of the command with one process and with two."""
    found = library()
    with tempfile.TemporaryDirectory(prefix="coscope-") as folder:
        for number, file in enumerate(found[:files]):
            shutil.copy(file, Path(folder, f"m{number:05}.py"))
        ratios = []
        for _ in range(rounds):
            walls = []
            for jobs in ("1", "2"):
                start = perf_counter()
                words = [sys.executable, "-m", "coscope", "verify", "-j", jobs, folder]
                subprocess.run(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                walls.append(perf_counter() - start)
            ratios.append(walls[0] / walls[1])
        print(
            f"CPython {RELEASE}, {len(found[:files])} files: -j 2 is {median(ratios):.2f} x as fast"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["library", "linear", "jobs"])
    parser.add_argument("--files", type=int, help="a sample of so many files; default: all")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    if options.what == "library":
        measure_library(options.files, options.rounds)
    elif options.what == "linear":
        measure_growth(options.rounds)
    else:
        measure_jobs(options.files, options.rounds)


if __name__ == "__main__":
    main()
