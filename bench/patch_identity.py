"""How faithfully listings are laid out again: over every code object of a standard library.

    python bench/patch_identity.py [--count FILES] [--short] [--peer] [FOLDER OR FILE ...]

Without a folder: the standard library of the interpreter that runs it. `.pyc` files are read as
they are, `.py` files compiled here. For each code object: apply an edit that inserts nothing before
each instruction; and, unless `--short`, lay it out with everything forgotten that the listing
remembers of the old encoding (redundant prefixes, the form of line table entries), where only the
meaning must be the same. With `--peer`, the identity round trip through the `bytecode` package,
over the `.py` files.
"""

from __future__ import annotations

import argparse
import random
import sysconfig
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import CodeType

from coscope.codec import decode_lines
from coscope.errors import CoscopeError
from coscope.flow.regions import find_regions
from coscope.model import Code
from coscope.patcher.applying.apply import apply
from coscope.patcher.edits.model import ANYWHERE, Insert
from coscope.patcher.listing.layout import lay_out
from coscope.patcher.listing.listing import Item, Listing, Place, decode_listing
from coscope.readers.from_function import from_code_object
from coscope.readers.from_pyc import from_pyc


def forgotten(code: Code) -> Listing:
    """A listing of new instructions, places and handlers that remembers no bytes."""
    listing = decode_listing(code)
    new: dict[int, Item] = {}
    for item in listing.items:
        new[id(item)] = Item(item.opcode, item.oparg, handler=item.handler, caches=item.caches)
    place = None
    for item in listing.items:
        if place is None or place.span != item.place.span:
            place = Place(item.place.span)
        new[id(item)].place = place
        new[id(item)].target = None if item.target is None else new[id(item.target)]
    for handler in listing.handlers:
        handler.target = new[id(handler.target)]
    blank = replace(code, exceptiontable=b"")
    return Listing(blank, [new[id(item)] for item in listing.items])


def same_meaning(old: Code, new: Code) -> bool:
    """The same instructions at the same places of the source, with the same handlers."""
    if old.code == new.code:
        return list(decode_lines(old)) == list(decode_lines(new)) and find_regions(
            old
        ) == find_regions(new)
    return _steps(old) == _steps(new)


def _steps(code: Code) -> list[tuple[object, ...]]:
    """Each instruction without its offset, prefixes left out."""
    columns = code.instructions
    prefix = "EXTENDED_ARG"
    names = [columns.opname(index) for index in range(len(columns))]
    numbers: dict[int, int] = {}  # byte offset -> number of the instruction
    for index, offset in enumerate(columns.offsets):
        numbers[offset] = sum(name != prefix for name in names[:index])
    steps: list[tuple[object, ...]] = []
    regions = find_regions(code)
    for index, offset in enumerate(columns.offsets):
        if names[index] == prefix:
            continue
        target = columns.jump_target(index)
        arg = columns.arg(index) if target is None else numbers[target]
        handler = next(
            (
                (numbers[region.target], region.depth, region.keeps_lasti)
                for region in regions
                if region.start <= offset < region.stop
            ),
            None,
        )
        steps.append((names[index], arg, columns.positions[index], handler))
    return steps


def code_objects(paths: list[Path]) -> Iterator[Code]:
    for path in paths:
        if path.suffix == ".pyc":
            yield from from_pyc(path).code.walk()
            continue
        try:
            module = compile(path.read_bytes(), path.name, "exec", dont_inherit=True)
        except (SyntaxError, ValueError):  # test data that is not meant to compile
            continue
        yield from from_code_object(module).walk()


def peer_figures(paths: list[Path]) -> None:
    """Print how many code objects come back from `bytecode` as they were."""
    import bytecode  # no dependency of coscope's: whoever compares has it

    found: Counter[str] = Counter()
    start = time.process_time()
    for live in live_code_objects(paths):
        found["code objects"] += 1
        try:
            again = bytecode.Bytecode.from_code(live).to_code()
        except Exception as problem:  # any kind: this is what is counted
            found[f"bytecode: {type(problem).__name__}"] += 1
            continue
        found["bytecode: identical"] += from_code_object(again) == from_code_object(live)
    spent = time.process_time() - start
    for name, count in found.items():
        print(f"{name:40} {count:8} {100 * count / found['code objects']:7.3f}%")
    print(f"bytecode {bytecode.__version__}: {found['code objects'] / spent:,.0f} code objects/s")


def live_code_objects(paths: list[Path]) -> Iterator[CodeType]:
    """Every code object of these files, nested ones included."""
    for path in paths:
        try:
            pending = [compile(path.read_bytes(), path.name, "exec", dont_inherit=True)]
        except (SyntaxError, ValueError):
            continue
        while pending:
            live = pending.pop()
            pending += [constant for constant in live.co_consts if isinstance(constant, CodeType)]
            yield live


# Through decoding, assembler, layout and stack size; nothing may come of it.
NOTHING = Insert(where=ANYWHERE, instructions=(), inseparable="skip")


def count_forgotten(code: Code, found: Counter[str]) -> None:
    new = lay_out(forgotten(code))
    for field in ("code", "exceptiontable", "linetable"):
        found[f"forgotten, same {field}"] += getattr(new, field) == getattr(code, field)
    found["forgotten, all three the same"] += (
        new.code == code.code
        and new.exceptiontable == code.exceptiontable
        and new.linetable == code.linetable
    )
    if not same_meaning(code, replace(new, consts=code.consts)):
        found["forgotten, ANOTHER MEANING"] += 1
        print("another meaning:", code.filename, code.qualname)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=0, help="a seeded sample of so many files")
    parser.add_argument("--short", action="store_true", help="the edit that changes nothing alone")
    parser.add_argument("--peer", action="store_true", help="the package `bytecode` too")
    parser.add_argument("paths", nargs="*", type=Path)
    options = parser.parse_args()
    paths = options.paths or [Path(sysconfig.get_path("stdlib"))]
    files = sorted(
        file
        for path in paths
        for file in (path.rglob("*.py") if path.is_dir() else [path])
        if "site-packages" not in file.parts
    )
    if options.count:
        files = random.Random(5).sample(files, min(options.count, len(files)))
    found = Counter({"errors": 0})
    spent = 0.0
    for code in code_objects(files):
        found["code objects"] += 1
        start = time.process_time()
        try:
            again = apply(code, [NOTHING])
        except CoscopeError as problem:
            found["errors"] += 1
            print("error:", problem)
            continue
        spent += time.process_time() - start
        found["edited by nothing, not identical"] += again != code
        if again != code:
            print("not identical:", code.filename, code.qualname)
        if not options.short:
            count_forgotten(code, found)
    total = found["code objects"]
    for name, count in found.items():
        print(f"{name:40} {count:8} {100 * count / total:7.3f}%")
    print(f"edited: {total / spent:,.0f} code objects/s")
    if options.peer:
        peer_figures([file for file in files if file.suffix == ".py"])


if __name__ == "__main__":
    main()
