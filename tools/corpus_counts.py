"""Every table of a corpus against an independent count: `compile`, `dis`, live code objects.

    python tools/corpus_counts.py FOLDER ...     scans, counts twice, a line for each table

Leaves with 1 if a count differs. Needs coscope[corpus].
"""

from __future__ import annotations

import dis
import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Hashable, Iterator
from hashlib import sha256
from pathlib import Path
from types import CodeType

from coscope.corpus import open_corpus, scan

# Table -> the query whose rows are compared: a key and how often it occurs.
QUERIES = {
    "codes": "select qualname, stacksize, bytes, flags, argcount, instructions, count(*) "
    "from codes",
    "instructions": "select opname, oparg, count(*) from instructions",
    "constants": "select type, length, count(*) from constants",
    "cells": "select name, kind, count(*) from cells",
    "regions": "select start, stop, target, depth, lasti, count(*) from regions",
    "names": "select name, sum(count)::bigint from names "
    "where space = 'attribute' and verb <> 'read'",
    "globals": "select split_part(name, '.', 1), sum(count)::bigint from names "
    "where space = 'global' and verb = 'read'",
}
_SIZED = (str, bytes, tuple, frozenset)


def codes_in(files: list[Path]) -> Iterator[CodeType]:
    """Every code object of the different contents that compile."""
    seen = set()
    for file in files:
        data = file.read_bytes()
        digest = sha256(data).digest()
        if digest in seen:
            continue
        seen.add(digest)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                pending = [compile(data, "x", "exec", dont_inherit=True)]
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
        while pending:
            co = pending.pop()
            yield co
            pending += [each for each in co.co_consts if isinstance(each, CodeType)]


def count(files: list[Path]) -> dict[str, Counter[tuple[Hashable, ...]]]:
    """The same counts, made without coscope."""
    found: dict[str, Counter[tuple[Hashable, ...]]] = {name: Counter() for name in QUERIES}
    parse = dis._parse_exception_table  # type: ignore[attr-defined]
    for co in codes_in(files):
        instructions = list(dis.get_instructions(co))
        name = co.co_qualname.encode("utf-8", "backslashreplace").decode()
        found["codes"][
            name, co.co_stacksize, len(co.co_code), co.co_flags, co.co_argcount, len(instructions)
        ] += 1
        for each in instructions:
            found["instructions"][each.opname, each.arg or 0] += 1
            if each.opname in ("STORE_ATTR", "DELETE_ATTR"):
                found["names"][(each.argval,)] += 1
            elif each.opname == "LOAD_GLOBAL":
                found["globals"][(each.argval,)] += 1
        for value in co.co_consts:
            if not isinstance(value, CodeType):
                length = len(value) if isinstance(value, _SIZED) else 0
                found["constants"][type(value).__name__, length] += 1
        for kind, names in (("free", co.co_freevars), ("cell", co.co_cellvars)):
            for each_name in names:
                found["cells"][each_name, kind] += 1
        for region in parse(co):
            key = region.start, region.end, region.target, region.depth, region.lasti
            found["regions"][key] += 1
    return found


def main() -> None:
    folders = sys.argv[1:]
    if not folders:
        sys.exit(__doc__)
    files = sorted(
        file
        for folder in folders
        for file in Path(folder).rglob("*.py")
        if file.is_file() and file.stat().st_size <= 32 * 2**20
    )
    expected = count(files)
    wrong = 0
    with tempfile.TemporaryDirectory() as place:
        report = scan(folders, Path(place) / "corpus", processes=2)
        print(f"{report.contents} contents, {report.codes} code objects, "
              f"{report.instructions} instructions; not read: {dict(report.unread)}")  # fmt: skip
        with open_corpus(Path(place) / "corpus") as corpus:
            for name, query in QUERIES.items():
                rows = corpus.sql(f"{query} group by all").rows()
                found = Counter({row[:-1]: row[-1] for row in rows})
                differing = (found - expected[name]) + (expected[name] - found)
                wrong += bool(differing)
                some = list(differing)[:3] or ""
                print(f"{name:14}{sum(expected[name].values()):12,} rows by dis", end=", ")
                print(f"{sum(differing.values()):,} differ", some)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
