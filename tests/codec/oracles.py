"""What this interpreter's own `dis` says of a code object, and how to compare it with ours."""

from __future__ import annotations

import dis
import random
import sys
import sysconfig
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import CodeType
from typing import Any

from coscope import codec
from coscope.model import Code, FrozenSet, Slice
from coscope.opcodes import table
from tools.probe import text_of

# dis of 3.11 does not resolve KW_NAMES; we do (see test_operands).
UNKNOWN = getattr(dis, "UNKNOWN", object())


def library_files() -> list[Any]:
    """Paths of the standard library, tests included, in a fixed order; in Pyodide inside a zip."""
    archives = [path for path in sys.path if path.endswith(".zip") and Path(path).is_file()]
    if archives:
        names = sorted(zipfile.ZipFile(archives[0]).namelist())
        return [zipfile.Path(archives[0], name) for name in names if name.endswith(".py")]
    root = Path(sysconfig.get_path("stdlib"))
    return sorted(
        file for file in root.rglob("*.py") if file.is_file() and "site-packages" not in file.parts
    )


def code_objects(file: Any) -> Iterator[CodeType]:
    """Every code object of a file that compiles; nothing of one that does not."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            pending = [compile(file.read_bytes(), str(file), "exec", dont_inherit=True)]
    except (SyntaxError, ValueError):
        return
    while pending:
        co = pending.pop()
        yield co
        pending.extend(const for const in co.co_consts if isinstance(const, CodeType))


def sample(files: int, seed: int = 20) -> list[CodeType]:
    """The code objects of so many files, the same ones at every run."""
    chosen = random.Random(seed).sample(library_files(), files)
    return [co for file in chosen for co in code_objects(file)]


def same_constant(ours: Any, theirs: Any) -> bool:
    """True if our model of a constant stands for that live object, types and signs included."""
    if isinstance(ours, Code):
        return isinstance(theirs, CodeType) and ours.code == theirs.co_code
    if isinstance(ours, FrozenSet):
        return type(theirs) is frozenset and len(theirs) == len(ours.items)
    if isinstance(ours, Slice):
        return [ours.start, ours.stop, ours.step] == [theirs.start, theirs.stop, theirs.step]
    if type(ours) is not type(theirs):
        return False
    if isinstance(ours, tuple):
        return len(ours) == len(theirs) and all(map(same_constant, ours, theirs))
    return repr(ours) == repr(theirs)


def differences(co: CodeType, code: Code) -> list[str]:
    """Everything in which our instructions differ from `dis.get_instructions`."""
    theirs = list(dis.get_instructions(co))
    ours = list(code.instructions)
    if len(ours) != len(theirs):
        return [f"{len(ours)} instructions, dis has {len(theirs)}"]
    starts = dict(dis.findlinestarts(co))
    found = []
    for mine, other in zip(ours, theirs, strict=True):
        found += [
            f"{other.offset} {other.opname} {field}: {mine_value!r}, dis has {value!r}"
            for field, mine_value, value in (
                ("offset", mine.offset, other.offset),
                ("opcode", mine.opcode, other.opcode),
                ("opname", mine.opname, other.opname),
                ("arg", mine.arg, other.arg),
                ("positions", tuple(mine.positions), tuple(other.positions or ())),
                ("starts_line", mine.starts_line, other.offset in starts),
                ("is_jump_target", mine.is_jump_target, bool(other.is_jump_target)),
                ("jump_target", mine.jump_target, _jump_target(other)),
                ("argrepr", mine.argrepr, _text(other, co)),
            )
            if mine_value != value
        ]
        unresolved = other.opname == "KW_NAMES" and other.argval is UNKNOWN
        if not unresolved and not same_constant(mine.argval, other.argval):
            found.append(f"{other.offset} {other.opname} argval: {mine.argval}, {other.argval}")
    if dict(codec.line_starts(code)) != starts:
        found.append("line starts")
    entries = [
        (entry.start, entry.end, entry.target, entry.depth, entry.lasti)
        for entry in dis._parse_exception_table(co)  # type: ignore[attr-defined]
    ]
    if [tuple(region) for region in codec.decode_regions(code.exceptiontable)] != entries:
        found.append("exception table")
    return found


def _text(instruction: Any, co: CodeType) -> str:
    """`argrepr`, with the differences that are on purpose: `tools.probe.TEXTS`."""
    text, reason = text_of(instruction, co)
    # Here both sides are written by this interpreter; only the order of a set differs.
    return _ordered(instruction.argval) if reason == "not shown" else text


def _ordered(value: Any) -> str:
    """`repr`, with the items of frozensets in the order of their texts."""
    if type(value) is frozenset and value:
        return f"frozenset({{{', '.join(sorted(map(_ordered, value)))}}})"
    if type(value) is tuple:
        return f"({', '.join(map(_ordered, value))}{',' * (len(value) == 1)})"
    return repr(value)


def _jump_target(instruction: Any) -> int | None:
    """`dis` gives a target as argval, and from 3.13 by name."""
    if instruction.opcode in dis.hasjrel or instruction.opcode in dis.hasjabs:
        return int(instruction.argval)
    return None


def changed_by_encoding(code: Code) -> list[str]:
    """The parts of a code object that do not come back byte for byte."""
    locations = codec.decode_locations(code.linetable, code.firstlineno)
    regions = codec.decode_regions(code.exceptiontable)
    operations = codec.decode_operations(code)
    again = {
        "code": codec.encode_instructions(operations, table(code.version)),
        "linetable": codec.encode_locations(locations, code.firstlineno),
        "exceptiontable": codec.encode_regions(regions),
    }
    return [part for part, made in again.items() if made != getattr(code, part)]


def run_all() -> None:
    """The whole library: prints counts. Not part of the test run; takes minutes."""
    from coscope.readers.from_function import from_code_object

    objects = instructions = wrong = changed = 0
    for file in library_files():
        for co in code_objects(file):
            code = from_code_object(co)
            found = differences(co, code)
            parts = changed_by_encoding(code)
            objects += 1
            instructions += len(code.instructions)
            wrong += bool(found)
            changed += bool(parts)
            if (found and wrong <= 10) or (parts and changed <= 10):
                print(file, co.co_qualname, found[:3], parts)
    version = ".".join(map(str, sys.version_info[:3]))
    print(f"{version}: {objects} code objects, {instructions} instructions,", end=" ")
    print(f"{wrong} differ from dis, {changed} re-encode differently")


if __name__ == "__main__":
    run_all()
