"""Reading every .pyc of a standard library, against C `marshal.loads` and xdis, in one run.

    python bench/from_pyc.py [--files N] [--rounds N]

Takes the standard library of the interpreter that runs it, compiled into a temporary folder.
Prints the median CPU time over the rounds of each job, and its ratios in the same round:

    marshal     C `marshal.loads` of the payloads, the floor
    unmarshal   `coscope.codec.unmarshal.load` of the same bytes
    from_pyc    `coscope.readers.from_pyc.from_pyc(path)`: with reading the file, finding its
                source, matching it with the header and splitting it into lines
    xdis        `xdis.unmarshal.load_code`, its own unmarshaller (one round; slow)
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import io
import marshal
import py_compile
import statistics
import sys
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from time import process_time

from library import library

from coscope.codec.pyc import read_header
from coscope.codec.unmarshal import load
from coscope.opcodes import table
from coscope.readers.from_pyc import from_pyc


def compile_library(folder: Path, files: int | None) -> list[Path]:
    """The .pyc files of the standard library, or of so many of its files."""
    found = library(files, seed=2)
    made = []
    warnings.simplefilter("ignore")
    for number, file in enumerate(found):
        target = folder / f"{number}.pyc"
        with contextlib.suppress(py_compile.PyCompileError, ValueError):
            py_compile.compile(str(file), cfile=str(target), doraise=True)
            made.append(target)
    return made


def seconds(job: Callable[[], object]) -> float:
    gc.collect()
    start = process_time()
    job()
    return process_time() - start


def xdis_job(payloads: list[bytes], magic: int) -> Callable[[], int]:
    """Its own unmarshaller over the payloads; what it refuses or fails at is counted."""
    import xdis.unmarshal

    def job() -> int:
        failed = 0
        for payload in payloads:
            try:
                xdis.unmarshal.load_code(io.BytesIO(payload), magic, False, {})
            except Exception:
                failed += 1
        if failed:
            print(f"xdis fails at {failed} files")
        return failed

    return job


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--files", type=int, help="so many files, by a fixed seed; else all")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        paths = compile_library(Path(folder), options.files)
        files = [path.read_bytes() for path in paths]
        payloads = [data[16:] for data in files]
        header = read_header(files[0])
        rows = table(header.version)
        jobs: dict[str, Callable[[], object]] = {
            "marshal": lambda: [marshal.loads(payload) and None for payload in payloads],
            "unmarshal": lambda: [load(data, rows, start=16) and None for data in files],
            "from_pyc": lambda: [from_pyc(path) and None for path in paths],
        }
        rounds = [{name: seconds(job) for name, job in jobs.items()} for _ in range(options.rounds)]
        try:
            xdis_seconds = seconds(xdis_job(payloads, header.magic))
        except ImportError:
            xdis_seconds = None
    version = ".".join(map(str, sys.version_info[:3]))
    print(f"CPython {version}: {len(files)} files, {sum(map(len, files)) / 1e6:.1f} MB")
    for name in jobs:
        middle = statistics.median(round_[name] for round_ in rounds)
        ratio = statistics.median(round_[name] / round_["marshal"] for round_ in rounds)
        line = f"{name:10} {middle:7.3f} s   {ratio:6.1f} x marshal"
        if xdis_seconds is not None and name != "marshal":
            line += f"   {xdis_seconds / middle:5.1f} times as fast as xdis"
        print(line)
    if xdis_seconds is not None:
        print(f"{'xdis':10} {xdis_seconds:7.3f} s")


if __name__ == "__main__":
    main()
