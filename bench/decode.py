"""Decoding to instructions, against `list(dis.get_instructions(code))`, in one run.

    python bench/decode.py [--files N] [--rounds N]

Takes the standard library of the interpreter that runs it. Prints, for each job, the median over
the rounds of the ratio of CPU times, dis to coscope; above 1 coscope is faster. Reading the live
code objects and making `Code` of them is not part of any time.
"""

from __future__ import annotations

import argparse
import dis
import gc
import statistics
import sys
import warnings
from collections.abc import Callable, Iterable
from time import process_time
from types import CodeType

from library import compiled, library

from coscope import codec
from coscope.model import Code
from coscope.readers.from_function import from_code_object


def with_dis(objects: Iterable[CodeType]) -> None:
    """The peer: complete instructions, positions included."""
    for co in objects:
        list(dis.get_instructions(co))


def views(codes: Iterable[Code]) -> None:
    """(a) columns, positions and a list of Instruction views."""
    for code in codes:
        columns = codec.decode(code)
        columns.positions  # noqa: B018
        list(columns)


def everything(codes: Iterable[Code]) -> None:
    """(b) every public attribute of every instruction."""
    for code in codes:
        for instruction in codec.decode(code):
            instruction.offset  # noqa: B018
            instruction.end_offset  # noqa: B018
            instruction.opcode  # noqa: B018
            instruction.opname  # noqa: B018
            instruction.arg  # noqa: B018
            instruction.argval  # noqa: B018
            instruction.argrepr  # noqa: B018
            instruction.positions  # noqa: B018
            instruction.line_number  # noqa: B018
            instruction.starts_line  # noqa: B018
            instruction.jump_target  # noqa: B018
            instruction.is_jump_target  # noqa: B018


def positions(codes: Iterable[Code]) -> None:
    """(c) columns and positions, no views."""
    for code in codes:
        codec.decode(code).positions  # noqa: B018


def columns_alone(codes: Iterable[Code]) -> None:
    """(d) columns alone."""
    for code in codes:
        codec.decode(code)


def seconds(job: Callable[[], None]) -> float:
    """CPU seconds of one call, garbage collected before it."""
    gc.collect()
    start = process_time()
    job()
    return process_time() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, help="a sample of so many files; default: all")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    objects = compiled(library(options.files))
    codes = [from_code_object(co) for co in objects]
    count = sum(len(codec.decode(code)) for code in codes)
    gc.freeze()  # the corpus itself is not garbage to be looked at in every collection
    jobs = (views, everything, positions, columns_alone)
    ratios: dict[str, list[float]] = {job.__name__: [] for job in jobs}
    rates: dict[str, list[float]] = {"dis": []} | {job.__name__: [] for job in jobs}
    for _ in range(options.rounds):
        peer = seconds(lambda: with_dis(objects))
        rates["dis"].append(count / peer)
        for job in jobs:
            own = seconds(lambda job=job: job(codes))
            ratios[job.__name__].append(peer / own)
            rates[job.__name__].append(count / own)
    release = ".".join(map(str, sys.version_info[:3]))
    print(f"CPython {release}, {len(codes)} code objects, {count} instructions,", end=" ")
    print(f"median of {options.rounds} rounds")
    print(f"  {'dis.get_instructions':30} {statistics.median(rates['dis']) / 1e6:8.3f} M/s")
    for job in jobs:
        name = job.__name__
        print(f"  {job.__doc__:60} {statistics.median(rates[name]) / 1e6:8.3f} M/s", end="")
        print(f"  {statistics.median(ratios[name]):6.1f} x")


if __name__ == "__main__":
    main()
