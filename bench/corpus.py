"""Scans into Parquet: code objects a second, bytes each, growth, memory, a second scan.

    python bench/corpus.py [--files N] [--rounds N] [FOLDER ...]

Without folders: the standard library with its tests. The rival is `dis.get_instructions` into the
same Parquet columns, compiled by the same compiler, in the same run. CPU time of the process,
medians. Needs coscope[corpus].
"""

from __future__ import annotations

import argparse
import dis
import json
import random
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import CodeType

import pyarrow as pa
import pyarrow.parquet as pq
from library import library

from coscope.corpus import scan
from coscope.corpus.schema import TABLES
from coscope.corpus.store import COMPRESSION, LEVEL

SEED = 14


def measured(work: Callable[[], object]) -> float:
    """CPU seconds of this process."""
    before = time.process_time()
    work()
    return time.process_time() - before


def rival(files: list[Path], folder: Path) -> int:
    """`dis.get_instructions` into Parquet: code objects and their instructions."""
    codes: dict[str, list[object]] = {
        name: [] for name in ("code", "qualname", "stacksize", "flags")
    }
    rows: dict[str, list[object]] = {
        name: [] for name in ("code", "index", "opcode", "arg", "offset")
    }
    number = 0
    for file in files:
        try:
            pending = [compile(file.read_bytes(), str(file), "exec", dont_inherit=True)]
        except (SyntaxError, ValueError):
            continue
        while pending:
            co = pending.pop()
            number += 1
            for name, value in zip(
                codes, (number, co.co_qualname, co.co_stacksize, co.co_flags), strict=True
            ):
                codes[name].append(value)
            for at, each in enumerate(dis.get_instructions(co)):
                for name, value in zip(
                    rows, (number, at, each.opcode, each.arg, each.offset), strict=True
                ):
                    rows[name].append(value)
            pending += [const for const in co.co_consts if isinstance(const, CodeType)]
    folder.mkdir()
    for name, columns in (("codes", codes), ("instructions", rows)):
        pq.write_table(
            pa.table(columns), folder / f"{name}.parquet", compression=COMPRESSION,
            compression_level=LEVEL,
        )  # fmt: skip
    return number


def size_of(folder: Path, names: list[str]) -> dict[str, int]:
    """Bytes of each table."""
    return {
        name: sum(file.stat().st_size for file in (folder / name).rglob("*.parquet"))
        for name in names
    }


def child(files: list[Path], folder: Path) -> dict[str, float]:
    """One scan in a process of its own: CPU seconds, code objects, peak memory in MiB."""
    run = subprocess.run(
        [sys.executable, __file__, "--child", str(folder)],
        input="\n".join(map(str, files)), capture_output=True, text=True, check=True,
    )  # fmt: skip
    found: dict[str, float] = json.loads(run.stdout)
    return found


def in_child(folder: str) -> None:
    files = sys.stdin.read().split("\n")
    before = time.process_time()
    report = scan(files, folder)
    seconds = time.process_time() - before
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        json.dumps(
            {"seconds": seconds, "codes": report.codes, "files": report.places, "peak": peak}
        )
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folders", nargs="*")
    parser.add_argument("--files", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--child")
    options = parser.parse_args()
    if options.child:
        in_child(options.child)
        return
    found = (
        sorted(file for each in options.folders for file in Path(each).rglob("*.py"))
        if options.folders
        else library()
    )
    files = random.Random(SEED).sample(found, min(options.files, len(found)))
    with tempfile.TemporaryDirectory() as name:
        compare(files, Path(name), options.rounds)
        grow(files, Path(name))


def compare(files: list[Path], root: Path, rounds: int) -> None:
    """Speed, size and the second scan, beside the rival."""
    words = [str(file) for file in files]
    ours, theirs, cached = [], [], []
    codes = others = 0
    for at in range(rounds):
        ours.append(measured(lambda: scan(words, root / "corpus")))
        report = scan(words, root / "corpus")
        codes = report.codes
        cached.append(measured(lambda: scan(words, root / "corpus")))
        before = time.process_time()
        others = rival(files, root / "rival")
        theirs.append(time.process_time() - before)
        sizes = size_of(root / "corpus", list(TABLES))
        shutil.rmtree(root / "corpus")
        shutil.rmtree(root / "rival")
        print(f"round {at + 1}: {ours[-1]:.2f} s, dis {theirs[-1]:.2f} s, again {cached[-1]:.3f} s")
    mine, rivals, again = map(statistics.median, (ours, theirs, cached))
    print(f"files {len(files)}, code objects {codes}, instructions {report.instructions}")
    print(f"scan        {codes / mine:8,.0f} code objects/s (asked 5,000)")
    ratio = codes / mine / (others / rivals)
    print(f"dis         {others / rivals:8,.0f} code objects/s: {ratio:.1f} times slower (asked 4)")
    print(f"second scan {mine / again:8.0f} times cheaper (asked 90)")
    print(f"size        {sum(sizes.values()) / codes:8.0f} bytes a code object (asked 200)")
    print(
        "            "
        + ", ".join(f"{name} {size / codes:.0f}" for name, size in sizes.items() if size)
    )
    plan(codes / mine, sum(sizes.values()) / codes, mine / again)


ALL = 600_000_000  # code objects of all of PyPI without copies: docs/guide/corpus-at-scale.md


def plan(a_second: float, each: float, again: float) -> None:
    """What a scan of PyPI costs at these rates."""
    hours = ALL / a_second / 3600
    print(f"{ALL:,} code objects: {hours:.0f} core-hours, {ALL * each / 2**30:.0f} GiB, "
          f"{hours / again * 60:.0f} core-minutes to find that nothing changed")  # fmt: skip
    print(f"an hour of 16 cores: {16 * 3600 * a_second / 1e6:.0f} million code objects, "
          f"{16 * 3600 * a_second * each / 2**30:.0f} GiB")  # fmt: skip


def grow(files: list[Path], root: Path) -> None:
    """1x, 2x, 4x, 8x the files: CPU time a code object and memory."""
    base = None
    for factor in (1, 2, 4, 8):
        part = files[: len(files) * factor // 8]
        found = child(part, root / f"x{factor}")
        each = found["seconds"] / found["codes"]
        base = base or each
        print(f"{factor}x: {found['files']:.0f} files, {found['codes']:.0f} code objects, "
              f"{found['seconds']:.2f} s, {each / base:.2f} of the first's time each, "
              f"{found['peak']:.0f} MiB")  # fmt: skip


if __name__ == "__main__":
    main()
