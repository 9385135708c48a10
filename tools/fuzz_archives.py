"""Damages archives and has `coscope trust` judge them: nothing but CoscopeError may come of it.

python tools/fuzz_archives.py ARCHIVE... [--count 20000] [--seed 1]

Prints, for each archive, how many mutants gave which exit status, the slowest of them, and the
largest resident memory. Leaves with 1 at the first other exception, after writing the mutant.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "src"))

from coscope.errors import CoscopeError
from coscope.trust import trust


def mutants(data: bytes, count: int, draw: Random) -> Iterator[bytes]:
    """Damaged copies: bits flipped, numbers set to extremes, pieces cut, repeated and exchanged."""
    for _ in range(count):
        held = bytearray(data)
        for _ in range(draw.choice((1, 1, 1, 2, 4, 16))):
            _damage(held, draw)
        yield bytes(held)


def _damage(held: bytearray, draw: Random) -> None:
    if len(held) < 32:
        return
    at = draw.randrange(len(held))
    kind = draw.randrange(7)
    if kind <= 1:
        held[at] ^= 1 << draw.randrange(8)
    elif kind == 2:
        size = draw.choice((1, 2, 4, 8))
        held[at : at + size] = draw.choice((b"\xff", b"\0", b"\x7f", b"\x80")) * size
    elif kind == 3:
        del held[at:]
    elif kind == 4:
        del held[at : at + draw.randrange(1, 40)]
    elif kind == 5:
        held[at:at] = held[at : at + draw.randrange(1, 600)]
    else:  # headers and tables are at the ends
        end = draw.choice((0, max(0, len(held) - 200)))
        held[min(len(held) - 1, end + draw.randrange(200))] = draw.randrange(256)


def _memory() -> int:
    try:
        import resource
    except ImportError:
        return 0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("archives", nargs="+", type=Path)
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    for archive in given.archives:
        clean = archive.read_bytes()
        statuses: Counter[str] = Counter()
        slowest = 0.0
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / archive.name
            for data in mutants(clean, given.count, Random(given.seed)):
                path.write_bytes(data)
                started = time.perf_counter()
                try:
                    statuses[str(trust(path).status())] += 1
                except CoscopeError as error:
                    statuses[type(error).__name__] += 1
                except Exception:
                    kept = Path(tempfile.gettempdir()) / f"mutant-{archive.name}"
                    kept.write_bytes(data)
                    print(f"{kept}: not a CoscopeError", file=sys.stderr)
                    raise
                slowest = max(slowest, time.perf_counter() - started)
        print(
            f"{archive.name}: {given.count:,} mutants, {dict(statuses)}, "
            f"slowest {slowest:.2f} s, {_memory()} MiB"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
