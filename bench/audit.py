"""Static audit of the standard library, against `list(dis.get_instructions())` over it.

    python bench/audit.py [--files N] [--rounds N] [--select PERF] [--folder FOLDER]

Each round measures, one after the other: `dis` alone over the compiled code objects, in a process
of its own (compiling is not in it); then `coscope audit` with all static rules as a user runs it
(start, compiling and writing the answer are in it): without a cache with one process, with two and
with as many as it takes itself; with an empty cache, and with a full one; and `ruff check` with its
default rules over the same files, without and with a full cache. With `--folder` the files are
those of a folder, such as site-packages. Printed are medians over
the rounds: seconds by the clock and of CPU, their ratios, and the largest memory of all processes
together.
"""

from __future__ import annotations

import argparse
import dis
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import warnings
from collections.abc import Iterable
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from types import CodeType
from typing import NamedTuple

from library import compiled, library

_EVERY = 0.05  # seconds between two looks at the memory


class Run(NamedTuple):
    """What one run took."""

    wall: float  # seconds
    cpu: float  # seconds, of all its processes
    memory: float = 0.0  # MiB, of all its processes at once


def with_dis(objects: Iterable[CodeType]) -> Run:
    """What the peer takes."""
    wall, cpu = perf_counter(), process_time()
    for co in objects:
        list(dis.get_instructions(co))
    return Run(perf_counter() - wall, process_time() - cpu)


def peer(names: Path) -> Run:
    """The same in a process of its own."""
    done = subprocess.run(
        [sys.executable, __file__, "--peer", str(names)], capture_output=True, check=True
    )
    return Run(*json.loads(done.stdout))


def audit(files: list[Path], cache: str, *options: str) -> Run:
    """One run of the command."""
    words = [sys.executable, "-m", "coscope", "audit", "--json", "--no-config", *options]
    environment = {**os.environ, "XDG_CACHE_HOME": cache}
    started = perf_counter()
    process = subprocess.Popen(
        [*words, *map(str, files)],
        env=environment,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    memory: list[float] = [0.0]
    ended = threading.Event()
    watcher = threading.Thread(target=_watch, args=(process.pid, memory, ended))
    watcher.start()
    _, status, used = os.wait4(process.pid, 0)
    wall = perf_counter() - started
    ended.set()
    watcher.join()
    if os.waitstatus_to_exitcode(status) not in (0, 1):
        sys.exit("the audit failed")
    return Run(wall, used.ru_utime + used.ru_stime, max(memory))


def ruff(files: list[Path], *options: str) -> Run:
    """One run of the rival: it is written in Rust, and compiles nothing."""
    words = ["check", "--isolated", "--quiet", "--exit-zero", *options]
    started = perf_counter()
    command = [str(Path(sys.executable).with_name("ruff")), *words, *map(str, files)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    wall = perf_counter() - started
    if os.waitstatus_to_exitcode(status):
        sys.exit("ruff failed")
    return Run(wall, used.ru_utime + used.ru_stime)


def _watch(session: int, memory: list[float], ended: threading.Event) -> None:
    """Note the resident memory of all processes of a session, again and again (Linux)."""
    page = os.sysconf("SC_PAGE_SIZE") / 2**20
    while not ended.wait(_EVERY):
        total = 0
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if os.getsid(int(folder.name)) == session:
                    total += int((folder / "statm").read_text().split()[1])
            except (OSError, ValueError):
                continue  # it has ended
        memory.append(total * page)


def rounds_of(files: list[Path], count: int, select: str) -> dict[str, list[Run]]:
    """What every run took, by its name."""
    rules = ("--select", select) if select else ()
    found: dict[str, list[Run]] = {}
    with tempfile.TemporaryDirectory() as folder:
        names = Path(folder) / "files.json"
        names.write_text(json.dumps([str(file) for file in files]))
        for number in range(count):
            cache = f"{folder}/cache{number}"
            runs = {
                "dis": peer(names),
                "-j 1": audit(files, cache, "--no-cache", "-j", "1", *rules),
                "-j 2": audit(files, cache, "--no-cache", "-j", "2", *rules),
                "default": audit(files, cache, "--no-cache", *rules),
                "empty cache": audit(files, cache, *rules),
                "full cache": audit(files, cache, *rules),
                "ruff": ruff(files, "--no-cache"),
            }
            ruff(files, "--cache-dir", f"{folder}/ruff")
            runs["ruff, cache"] = ruff(files, "--cache-dir", f"{folder}/ruff")
            for name, run in runs.items():
                found.setdefault(name, []).append(run)
                print(f"  {name:12}{run.wall:8.2f} s {run.cpu:8.2f} s CPU", file=sys.stderr)
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--select", default="")
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--peer", help=argparse.SUPPRESS)
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    if given.peer:
        files = [Path(name) for name in json.loads(Path(given.peer).read_text())]
        print(json.dumps(with_dis(compiled(files))))
        return
    every = library(given.files) if given.folder is None else _drawn(given.folder, given.files)
    files = sorted(file for file in every if compiled([file]))
    found = rounds_of(files, given.rounds, given.select)
    print(f"{len(files)} files, {len(compiled(files))} code objects, {given.rounds} rounds")
    print(f"{'':14}{'wall s':>9}{'CPU s':>9}{'MiB':>8}")
    for name, runs in found.items():
        wall, cpu, memory = (median(column) for column in zip(*runs, strict=True))
        print(f"  {name:12}{wall:9.2f}{cpu:9.2f}{memory:8.0f}")

    def ratio(over: str, under: str, field: int) -> float:
        return median(a[field] / b[field] for a, b in zip(found[over], found[under], strict=True))

    print(f"dis / audit by the clock: {ratio('dis', 'default', 0):.2f} (3 asked)")
    print(f"dis / audit by CPU time, one process: {ratio('dis', '-j 1', 1):.2f}")
    print(f"-j 1 / -j 2 by the clock: {ratio('-j 1', '-j 2', 0):.2f} (1.7 asked)")
    print(
        f"empty / full cache by the clock: {ratio('empty cache', 'full cache', 0):.1f} (10 asked)"
    )
    print(f"default / ruff by the clock: {ratio('default', 'ruff', 0):.1f} (at most 8 asked)")
    print(f"default / ruff by CPU time: {ratio('default', 'ruff', 1):.1f}")
    cached = ratio("full cache", "ruff, cache", 0)
    print(f"full cache / ruff's by the clock: {cached:.2f} (at most 1.5 asked)")


def _drawn(folder: Path, count: int | None) -> list[Path]:
    """The Python files of a folder; so many of them, drawn with seed 1."""
    files = sorted(folder.rglob("*.py"))
    return files if count is None else random.Random(1).sample(files, min(count, len(files)))


if __name__ == "__main__":
    main()
