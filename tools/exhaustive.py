"""Every sequence of a few dangerous instructions: the verifier's verdict against what happens.

    python3.15d tools/exhaustive.py --length 3                  all sequences up to this length
    python3.15d tools/exhaustive.py --length 4 --share 0 4      the first quarter of them

Made for debug builds, which stop at what a release build survives by luck. Each sequence runs
between RESUME and a return, with objects of its own, accepted or not, in forked children. Reported
are sequences that were accepted and killed their process (there must be none), and how many of
those that harmed nobody were refused. The exit status is 1 if an accepted one crashed.
"""

from __future__ import annotations

import argparse
import itertools
import mmap
import os
import resource
import signal
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from struct import pack_into, unpack_from
from types import FunctionType
from typing import NoReturn

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tools")]

from coscope.codec import Location, Operation, encode_instructions, encode_locations  # noqa: E402
from coscope.model import NOWHERE, Code, Flags  # noqa: E402
from coscope.opcodes import table  # noqa: E402
from coscope.readers.from_function import HOST_VERSION  # noqa: E402
from coscope.verifier import verify  # noqa: E402
from mutation.batch import HARMLESS  # noqa: E402
from mutation.live import to_live  # noqa: E402

Instruction = tuple[str, int]

ALPHABET: tuple[Instruction, ...] = (
    ("LOAD_FAST_BORROW", 0), ("LOAD_FAST", 0), ("LOAD_CONST", 0), ("STORE_FAST", 0),
    ("LOAD_FAST_AND_CLEAR", 0), ("PUSH_NULL", 0), ("POP_TOP", 0), ("SWAP", 2), ("COPY", 1),
    ("LOAD_ATTR", 1), ("CALL", 0), ("BUILD_LIST", 0), ("LIST_APPEND", 1), ("GET_ITER", 0),
    ("FORMAT_SIMPLE", 0),
)  # fmt: skip
DEEPEST = 12  # slots
BATCH = 400
MEMORY = 2 << 30  # bytes of address space


def sequences(length: int) -> Iterator[tuple[Instruction, ...]]:
    """All of them, the short ones first."""
    known = table(HOST_VERSION).opcodes
    alphabet = [pair for pair in ALPHABET if pair[0] in known]
    for size in range(1, length + 1):
        yield from itertools.product(alphabet, repeat=size)


def made(sequence: Sequence[Instruction]) -> Code:
    """A function of one argument that runs a sequence and drops what it leaves."""
    rules = table(HOST_VERSION)
    depth = 0
    for name, oparg in sequence:
        row = rules.opcodes[name]
        depth = max(0, depth + row.pushed(oparg) - row.popped(oparg))
    pairs = [("RESUME", 0), *sequence, *[("POP_TOP", 0)] * depth]
    pairs += [("LOAD_CONST", 0), ("RETURN_VALUE", 0)]
    raw = encode_instructions(
        (Operation(rules.opcodes[name].code, oparg) for name, oparg in pairs), rules
    )
    return Code(
        version=HOST_VERSION,
        name="sequence",
        qualname="sequence",
        filename="sequence.py",
        firstlineno=1,
        argcount=1,
        posonlyargcount=0,
        kwonlyargcount=0,
        nlocals=1,
        stacksize=DEEPEST,
        flags=Flags(3),
        code=raw,
        consts=(None,),
        names=("m",),
        varnames=("x",),
        cellvars=(),
        freevars=(),
        linetable=encode_locations([Location(len(raw) // 2, NOWHERE)], 1),
        localsplusnames=("x",),
        localspluskinds=b"\x20",
    )


class Plain:
    """An argument with a method, which nothing else holds."""

    def m(self, *arguments: object) -> object:
        return [[] for _ in range(9)], self.__dict__

    def __iter__(self) -> Iterator[object]:
        return iter([self])


def run_all(codes: Sequence[Code]) -> list[str]:
    """How each ends: "fine", "excused" (a harmless assertion) or "crash"."""
    ends: list[str] = []
    shared = mmap.mmap(-1, 4096)
    while len(ends) < len(codes):
        rest = codes[len(ends) : len(ends) + BATCH]
        pack_into("<I", shared, 0, 0)
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                _child(rest, shared, writing)
            finally:  # what runs may tear down the frame that should never return
                os._exit(79)
        os.close(writing)
        os.waitpid(pid, 0)
        with os.fdopen(reading, "rb") as pipe:
            said = pipe.read().decode(errors="replace")
        (done,) = unpack_from("<I", shared, 0)
        ends += ["fine"] * done
        if done < len(rest):
            # Killed, or escaped from its frame and left by itself: both are harm.
            ends.append("excused" if any(known in said for known in HARMLESS) else "crash")
    return ends


def _child(codes: Sequence[Code], shared: mmap.mmap, errors: int) -> NoReturn:
    try:
        null = os.open(os.devnull, os.O_RDWR)
        os.dup2(null, 0)
        os.dup2(null, 1)
        os.dup2(errors, 2)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CPU, (60, 60))
        sys.setrecursionlimit(200)
        for number, code in enumerate(codes):
            signal.setitimer(signal.ITIMER_VIRTUAL, 5)
            _use(code)
            pack_into("<I", shared, 0, number + 1)
    except BaseException:
        os._exit(78)
    os._exit(0)


def _use(code: Code) -> None:
    function = FunctionType(to_live(code), {})
    for make in (Plain, lambda: "y" * 99 + str(id(code)), lambda: [1, 2], Plain, Plain):
        try:
            function(make())
        except Exception:
            continue


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--length", type=int, default=3)
    parser.add_argument("--share", type=int, nargs=2, default=(0, 1), metavar=("N", "OF"))
    options = parser.parse_args(argv)
    first, step = options.share
    counts: Counter[tuple[bool, str]] = Counter()
    chosen = itertools.islice(sequences(options.length), first, None, step)
    wrong: list[str] = []
    while batch := list(itertools.islice(chosen, 2_000)):
        codes = [made(sequence) for sequence in batch]
        verdicts = [verify(code).ok for code in codes]
        for sequence, accepted, ended in zip(batch, verdicts, run_all(codes), strict=True):
            counts[accepted, ended] += 1
            if accepted and ended == "crash":
                wrong.append(", ".join(f"{name} {oparg}" for name, oparg in sequence))
    harmless = counts[True, "fine"] + counts[False, "fine"]
    print(f"CPython {sys.version.split()[0]}, {sum(counts.values()):,} sequences")
    print(f"accepted {counts[True, 'fine'] + counts[True, 'excused'] + len(wrong):,}")
    print(f"accepted and crashed {len(wrong):,}; excused {counts[True, 'excused']:,}")
    print(f"refused and crashed {counts[False, 'crash'] + counts[False, 'excused']:,}")
    print(f"harmless {harmless:,}, of them refused {counts[False, 'fine']:,}", end="")
    print(f" ({counts[False, 'fine'] / max(1, harmless):.1%})")
    print("\n".join(wrong[:40]))
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
