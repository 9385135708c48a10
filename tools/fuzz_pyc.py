"""Damage genuine .pyc files in many ways, and look at all that coscope makes of them.

    python tools/fuzz_pyc.py --count 100000
    python tools/fuzz_pyc.py --count 20000 --seed 7 --folder path/to/pyc/files
    python tools/fuzz_pyc.py --count 2000 --report                  through render/ too
    python tools/fuzz_pyc.py --only 31415 --keep damaged.pyc        one case again

The genuine files are small ones of the standard library of every interpreter that is found (and
of --folder). Each damaged one must give a function or a `CoscopeError`, within 1 s; the process
must stay below 256 MiB. Everything that is lazy is asked for: instructions with arguments and
positions, regions, the graph, the stack depth, the expressions.
"""

from __future__ import annotations

import argparse
import gc
import subprocess
import sys
import traceback
from base64 import b64decode
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from struct import pack_into, unpack_from
from time import process_time

from coscope import codec, flow
from coscope.errors import CoscopeError
from coscope.flow.domains.conditions import graph
from coscope.flow.domains.depth import Depth
from coscope.flow.domains.expression import Expression
from coscope.model import Code
from coscope.readers.from_interpreter import installed
from coscope.readers.from_pyc import from_pyc
from coscope.render.document.report import report
from coscope.render.to_json import to_json

SECONDS = 1.0  # CPU time for one file
MEBIBYTES = 256  # of the process

_SIZED = b"s(>ualtA<["
_TYPES = b"NTF.SigylfxsaAzZut()[<>{:cr0}"
_SIZES = (0, 1, 0x7F, 0xFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)

# Run by another interpreter: compiles some small files of its library, writes .pyc as Base64.
_COMPILE = """
import base64, importlib.util, marshal, os, random, sys, sysconfig, warnings
warnings.simplefilter("ignore")
root = sysconfig.get_path("stdlib")
files = sorted(
    os.path.join(folder, name)
    for folder, _, names in os.walk(root) if "site-packages" not in folder
    for name in names if name.endswith(".py")
)
files = [file for file in files if 200 < os.path.getsize(file) < 12000]
for file in random.Random(int(sys.argv[1])).sample(files, int(sys.argv[2])):
    try:
        with open(file, "rb") as source:
            code = compile(source.read(), os.path.basename(file), "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        continue
    data = importlib.util.MAGIC_NUMBER + bytes(12) + marshal.dumps(code)
    print(base64.b64encode(data).decode())
"""


def genuine_files(python: str, seed: int, count: int) -> list[bytes]:
    """Some small .pyc files as an interpreter makes them."""
    command = [python, "-I", "-S", "-c", _COMPILE, str(seed), str(count)]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    return [b64decode(line) for line in run.stdout.split()]


def damaged(files: Sequence[bytes], seed: int, index: int) -> bytes:
    """The damaged file of this number: the same one at every run."""
    random = Random(f"{seed}:{index}")
    data = bytearray(random.choice(files))
    for _ in range(random.choice((1, 1, 1, 2, 3, 8))):
        random.choice(_DAMAGES)(random, data, files)
        if not data:
            break
    return bytes(data)


def _truncate(random: Random, data: bytearray, files: Sequence[bytes]) -> None:
    del data[random.randrange(len(data)) :]


def _flip(random: Random, data: bytearray, files: Sequence[bytes]) -> None:
    for _ in range(random.randint(1, 8)):
        data[random.randrange(len(data))] ^= 1 << random.randrange(8)


def _overwrite(random: Random, data: bytearray, files: Sequence[bytes]) -> None:
    at = random.randrange(len(data))
    piece = random.randbytes(random.randint(1, 8))[: len(data) - at]
    data[at : at + len(piece)] = piece


def _splice(random: Random, data: bytearray, files: Sequence[bytes]) -> None:
    other = random.choice(files)
    start = random.randrange(len(other))
    at = random.randrange(len(data))
    data[at : at + random.randint(0, 200)] = other[start : start + random.randint(1, 200)]


def _repeat(random: Random, data: bytearray, files: Sequence[bytes]) -> None:
    start = random.randrange(len(data))
    piece = data[start : start + random.randint(1, 100)]
    data[start:start] = piece * random.randint(1, 20)


def _delete(random: Random, data: bytearray, files: Sequence[bytes]) -> None:
    at = random.randrange(len(data))
    del data[at : at + random.randint(1, 20)]


def _resize(random: Random, data: bytearray, files: Sequence[bytes]) -> None:
    places = [at for at in range(16, len(data) - 4) if data[at] & 0x7F in _SIZED]
    if places:
        at = random.choice(places) + 1
        (size,) = unpack_from("<I", data, at)
        near = (size + random.randint(-4, 4)) & 0xFFFFFFFF
        pack_into("<I", data, at, random.choice((near, *_SIZES)))


def _refer(random: Random, data: bytearray, files: Sequence[bytes]) -> None:
    places = [at for at in range(16, len(data) - 4) if data[at] == ord("r")]
    if places:
        near = random.randrange(len(places) * 2)
        pack_into("<I", data, random.choice(places) + 1, random.choice((near, near, *_SIZES)))


def _retype(random: Random, data: bytearray, files: Sequence[bytes]) -> None:
    places = [at for at in range(16, len(data)) if data[at] & 0x7F in _TYPES]
    if places:
        data[random.choice(places)] = random.choice(_TYPES) | random.choice((0, 0x80))


def _count(random: Random, data: bytearray, files: Sequence[bytes]) -> None:
    """Change a number of arguments, locals, the stack size, a flag."""
    places = [at for at in range(16, len(data) - 24) if data[at] & 0x7F == ord("c")]
    if places:
        at = random.choice(places) + 1 + 4 * random.randrange(6)
        pack_into("<I", data, at, random.choice((random.randrange(8), 1 << random.randrange(32))))


def _rewrite(random: Random, data: bytearray, files: Sequence[bytes]) -> None:
    """Change bytecode, line table or exception table, and nothing around them."""
    places = [
        (at + 5, size)
        for at in range(16, len(data) - 5)
        if data[at] & 0x7F == ord("s")
        for (size,) in [unpack_from("<I", data, at + 1)]
        if 0 < size < len(data) - at - 5
    ]
    if places:
        start, size = random.choice(places)
        for _ in range(random.randint(1, 6)):
            data[start + random.randrange(size)] = random.choice((random.randrange(256), 0, 255))


_DAMAGES: tuple[Callable[[Random, bytearray, Sequence[bytes]], None], ...] = (
    _truncate,
    _flip,
    _overwrite,
    _splice,
    _repeat,
    _delete,
    _resize,
    _refer,
    _retype,
    _count,
    _rewrite,
    _rewrite,
    _rewrite,
    _rewrite,
)


def look_at_everything(data: bytes) -> Iterator[str]:
    """Read a file and ask for all of it; the name of each error of ours that this met.

    Raises:
        Exception: Anything that is no `CoscopeError`: a fault.
    """
    try:
        function = from_pyc(data, file="damaged.pyc")
    except CoscopeError as error:
        str(error)
        yield type(error).__name__
        return
    yield "read"
    parts = (_constants, _instructions, codec.line_starts, codec.decode_lines, _flow)
    for code in function.code.walk():
        for part in parts:
            try:
                part(code)
            except CoscopeError as error:
                str(error)
                yield f"{part.__name__.strip('_')}: {type(error).__name__}"


def _constants(code: Code) -> None:
    for constant in code.consts:
        codec.constant_text(constant)
    str((code.names, code.varnames, code.flags.names, code.kind, code.qualname))


def _instructions(code: Code) -> None:
    for each in code.instructions:
        str((each.opname, each.arg, each.argval is None, each.argrepr, each.jump_target))
        str((each.positions, each.starts_line, each.is_jump_target, each.end_offset))


def _flow(code: Code) -> None:
    flow.find_regions(code)
    drawn = graph(code)
    flow.run(drawn, Depth())
    flow.run(drawn, Expression())


def look_at_report(data: bytes) -> Iterator[str]:
    """As `look_at_everything`, through the document that `coscope show --all --json` prints."""
    try:
        to_json(report(from_pyc(data, file="damaged.pyc"), detail="all", fields=True))
        yield "shown"
    except CoscopeError as error:
        str(error)
        yield type(error).__name__


@dataclass
class Outcome:
    """What a run met."""

    met: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0  # seconds of CPU time
    slowest_index: int = -1
    faults: Counter[str] = field(default_factory=Counter)  # by place in coscope
    examples: dict[str, str] = field(default_factory=dict)  # the first of each

    def blame(self, place: str, index: int, text: str) -> None:
        self.faults[place] += 1
        self.examples.setdefault(place, f"--only {index}\n{text}")


def run(
    files: Sequence[bytes],
    seed: int,
    indexes: Sequence[int],
    look: Callable[[bytes], Iterator[str]] = look_at_everything,
) -> Outcome:
    """Damage and read, so many times."""
    outcome = Outcome()
    for number, index in enumerate(indexes):
        data = damaged(files, seed, index)
        start = process_time()
        try:
            outcome.met.update(look(data))
        except Exception as error:
            last = traceback.extract_tb(error.__traceback__)[-1]
            place = f"{type(error).__name__} in {Path(last.filename).name}, {last.name}"
            outcome.blame(place, index, traceback.format_exc())
        spent = process_time() - start
        if spent > outcome.slowest:
            outcome.slowest, outcome.slowest_index = spent, index
        if spent > SECONDS:
            outcome.blame("slow", index, f"{spent:.2f} s")
        if sys.stderr.isatty() and number % 1000 == 0:
            print(f"\r{number}", end="", file=sys.stderr)
    return outcome


def peak_memory() -> float | None:
    """MiB that this process took at most; None where the system does not tell."""
    try:
        import resource
    except ImportError:
        return None
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--count", type=int, default=2000, help="damaged files")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--files", type=int, default=30, help="genuine files of each interpreter")
    parser.add_argument("--folder", type=Path, action="append", default=[], help="more .pyc files")
    parser.add_argument("--only", type=int, help="number of one damaged file")
    parser.add_argument("--keep", type=Path, help="write the one damaged file here")
    parser.add_argument("--report", action="store_true", help="look through the JSON document")
    options = parser.parse_args()
    interpreters = installed()
    files: list[bytes] = []
    for interpreter in interpreters:
        files += genuine_files(interpreter.path, options.seed, options.files)
    for folder in options.folder:
        small = [path for path in sorted(folder.rglob("*.pyc")) if path.stat().st_size < 12000]
        chosen = Random(options.seed).sample(small, min(options.files, len(small)))
        files += [path.read_bytes() for path in chosen]
    gc.collect()
    indexes = [options.only] if options.only is not None else range(options.count)
    if options.keep and options.only is not None:
        options.keep.write_bytes(damaged(files, options.seed, options.only))
    look = look_at_report if options.report else look_at_everything
    outcome = run(files, options.seed, indexes, look)
    releases = ", ".join(interpreter.release for interpreter in interpreters)
    print(f"{len(files)} genuine files of {releases} and {len(options.folder)} folders")
    print(f"{len(indexes)} damaged files, seed {options.seed}: {outcome.faults.total()} faults")
    print(f"slowest {outcome.slowest:.2f} s (--only {outcome.slowest_index})", end="")
    peak = peak_memory()
    print("" if peak is None else f", peak memory {peak:.0f} MiB")
    for what, count in outcome.met.most_common():
        print(f"{count:9} {what}")
    for place, count in outcome.faults.most_common():
        print(f"FAULT {count} times: {place}\n{outcome.examples[place]}")
    return 1 if outcome.faults or (peak or 0) > MEBIBYTES else 0


if __name__ == "__main__":
    sys.exit(main())
