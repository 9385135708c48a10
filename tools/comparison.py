"""One file or code object, coscope against the interpreter's own `dis`; used by differential.py."""

from __future__ import annotations

import dis
import json
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import zip_longest
from pathlib import Path
from types import CodeType
from typing import Any

import probe
from coscope import codec, flow
from coscope.errors import CoscopeError
from coscope.flow.domains import depth
from coscope.model import Code, Flags, FrozenSet, Slice
from coscope.opcodes import table
from coscope.readers.from_function import from_code_object
from coscope.readers.from_pyc import from_pyc

# Where coscope differs from `dis` on purpose: (version, opcode) and why. The difference is the
# argval alone; each occurrence is counted and reported apart from the mismatches.
DELIBERATE = {
    ("3.11", "KW_NAMES"): "dis says <unknown>; coscope resolves the tuple of keyword names",
}
_DIS_UNKNOWN = "<unknown>"

EXAMPLES = 12  # kept of each kind of mismatch, for the report


@dataclass
class Tally:
    """What was counted, and the first mismatches of each kind."""

    counts: Counter[str] = field(default_factory=Counter)
    mismatches: Counter[str] = field(default_factory=Counter)
    deliberate: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[tuple[str, str]]] = field(default_factory=dict)  # path, what

    def miss(self, kind: str, path: str, what: str) -> None:
        """Count one mismatch."""
        self.mismatches[kind] += 1
        examples = self.examples.setdefault(kind, [])
        if len(examples) < EXAMPLES:
            examples.append((path, what))

    def add(self, other: Tally) -> None:
        """Add what another process counted."""
        self.counts += other.counts
        self.mismatches += other.mismatches
        self.deliberate += other.deliberate
        for kind, examples in other.examples.items():
            mine = self.examples.setdefault(kind, [])
            mine += examples[: EXAMPLES - len(mine)]


def canonical(value: Any) -> str:
    """`probe.canonical`, of a constant as coscope keeps it."""
    kind = type(value)
    if kind is Code:
        return f"<code {value.name!a} {value.firstlineno}>"
    if kind is tuple:
        return "(" + ",".join(map(canonical, value)) + ")"
    if kind is FrozenSet:
        return "{" + ",".join(sorted(map(canonical, value.items))) + "}"
    if kind is Slice:
        return "slice" + canonical((value.start, value.stop, value.step))
    return probe.canonical(value)


def facts(code: Code, deliberate: Counter[str] | None = None) -> tuple[list[Any], ...]:
    """`probe.facts`, as coscope sees them."""
    rows = []
    texts = []
    starts = []
    instructions = code.instructions
    for i in instructions:
        argval = canonical(i.argval)
        if (code.version, i.opname) in DELIBERATE:
            argval = _DIS_UNKNOWN
            if deliberate is not None:
                deliberate[i.opname] += 1
        texts.append("" if _is_of_the_host(i.argval) and i.argrepr else i.argrepr)
        rows.append((i.offset, i.opcode, i.opname, i.arg, argval, i.is_jump_target, i.jump_target))
        if i.starts_line:
            starts.append(i.offset)
    regions = []
    if table(code.version).exceptions != "block stack":
        regions = [tuple(region) for region in codec.decode_regions(code.exceptiontable)]
    return (_fields(code), rows, texts, [tuple(i.positions) for i in instructions], starts, regions)


def _is_of_the_host(value: object) -> bool:
    """As in the probe: True if the text of a constant is not the same in each interpreter."""
    if isinstance(value, tuple):
        return any(map(_is_of_the_host, value))
    if isinstance(value, Slice):
        return any(map(_is_of_the_host, (value.start, value.stop, value.step)))
    return isinstance(value, FrozenSet) or (isinstance(value, str) and not value.isascii())


def _fields(code: Code) -> list[Any]:
    has_qualname = table(code.version).layout != "cells apart"
    return [
        ("name", code.name),
        ("qualname", code.qualname if has_qualname else None),
        ("filename", code.filename),
        ("firstlineno", code.firstlineno),
        ("argcount", code.argcount),
        ("posonlyargcount", code.posonlyargcount),
        ("kwonlyargcount", code.kwonlyargcount),
        ("nlocals", code.nlocals),
        ("stacksize", code.stacksize),
        ("flags", int(code.flags)),
        ("code", code.code.hex()),
        ("consts", canonical(code.consts)),
        ("names", code.names),
        ("varnames", code.varnames),
        ("cellvars", code.cellvars),
        ("freevars", code.freevars),
        ("linetable", code.linetable.hex()),
        ("exceptiontable", code.exceptiontable.hex()),
    ]


def check_file(folder: str, line: str, version: str, checks: frozenset[str]) -> Tally:
    """Check one file of a corpus against the line that the probe wrote about it."""
    tally = Tally()
    described = json.loads(line)
    path = described["path"]
    tally.counts["files"] += 1
    if "skipped" in described:
        tally.counts["files that this version does not compile"] += 1
        return tally
    try:
        module = from_pyc(Path(folder, described["pyc"])).code
    except Exception as error:  # whatever it is, the file does not load
        tally.miss("files that fail to load", path, f"{type(error).__name__}: {error}")
        return tally
    codes = list(module.walk())
    told = described["codes"]
    tally.deliberate.update(described["apart"])
    if [c[:2] for c in told] != [[c.name, c.firstlineno] for c in codes]:
        tally.miss("nesting of code objects", path, f"{len(told)} against {len(codes)}")
        return tally
    for code, (_, _, instructions, digests) in zip(codes, told, strict=True):
        tally.counts["code objects"] += 1
        tally.counts["instructions"] += instructions
        if code.version != version:
            tally.miss("version", path, f"{code.version} against {version}")
        check_code(code, digests, path, checks, tally)
    return tally


def check_code(
    code: Code, digests: list[str], path: str, checks: frozenset[str], tally: Tally
) -> None:
    """Check one code object; `digests` are the probe's, in the order of its SECTIONS."""
    where = f"{code.qualname} (line {code.firstlineno})"
    steps = {
        "dis": partial(check_facts, code, digests),
        "stack": partial(check_stack, code),
        "encode": partial(check_encode, code),
    }
    for name, step in steps.items():
        if name not in checks:
            continue
        try:
            step(path, where, tally)
        except Exception as error:  # any is a finding, a fault of ours included
            tally.miss(f"{name}: raises {type(error).__name__}", path, f"{where}: {error}")


def check_facts(code: Code, digests: list[str], path: str, where: str, tally: Tally) -> None:
    """Everything that `dis` says, section by section."""
    sections = facts(code, tally.deliberate)
    for name, rows, digest in zip(probe.SECTIONS, sections, digests, strict=True):
        if probe.digest(rows) != digest:
            tally.miss(name, path, where)


def check_stack(code: Code, path: str, where: str, tally: Tally) -> None:
    """The depth that the depth domain finds against `co_stacksize`."""
    needed = depth.needed(flow.build(code))
    if needed > code.stacksize:
        tally.miss("stack above co_stacksize", path, f"{where}: {needed} > {code.stacksize}")
    elif needed == code.stacksize:
        tally.counts["stack equal to co_stacksize"] += 1
    else:
        tally.counts["stack below co_stacksize"] += 1


def check_encode(code: Code, path: str, where: str, tally: Tally) -> None:
    """encode(decode(x)) is x: bytecode, line table, exception table."""
    tally.counts["encoded"] += 1
    for name, found, expected in _encoded(code):
        if found != expected:
            tally.miss(f"encoded {name}", path, where)


def _encoded(code: Code) -> Iterator[tuple[str, bytes, bytes]]:
    rules = table(code.version)
    operations = codec.decode_operations(code)
    yield "bytecode", codec.encode_instructions(operations, rules), code.code
    if rules.exceptions != "block stack":
        regions = codec.decode_regions(code.exceptiontable)
        yield "exception table", codec.encode_regions(regions), code.exceptiontable
        locations = codec.decode_locations(code.linetable, code.firstlineno)
        lines = codec.encode_locations(locations, code.firstlineno)
        yield "line table", lines, code.linetable


def check_live(path: str, source: bytes, checks: frozenset[str]) -> Tally:
    """Compile a file on this host, and check its live code objects."""
    tally = Tally()
    tally.counts["files"] += 1
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            module = compile(source, path, "exec", dont_inherit=True, optimize=0)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        tally.counts["files that this version does not compile"] += 1
        return tally
    check_live_code(module, path, checks, tally)
    return tally


def check_live_code(module: CodeType, path: str, checks: frozenset[str], tally: Tally) -> None:
    """Check a live code object and the nested ones."""
    try:
        codes = list(from_code_object(module).walk())
    except CoscopeError as error:
        tally.miss("code objects that fail to load", path, str(error))
        return
    for code, live in zip(codes, probe.walk(module), strict=True):
        sections = probe.facts(live)
        apart = (probe.text_of(i, live)[1] for i in dis.get_instructions(live))
        tally.deliberate.update(rule for rule in apart if rule)
        tally.counts["code objects"] += 1
        tally.counts["instructions"] += len(sections[1])
        check_code(code, [probe.digest(rows) for rows in sections], path, checks, tally)


def check_flag_names(known: dict[str, str]) -> list[str]:
    """What the interpreter calls the bits of co_flags otherwise than coscope."""
    return [
        f"flag {int(bit):#x}: {name} against {Flags(int(bit)).names}"
        for bit, name in known.items()
        if Flags(int(bit)).names != (name,)
    ]


def differences(folder: str, described: dict[str, Any], limit: int = 3) -> Iterator[str]:
    """The rows that differ, of a file that the probe described with --details."""
    module = from_pyc(Path(folder, described["pyc"])).code
    for code, (name, line, _, told) in zip(module.walk(), described["codes"], strict=True):
        for section, theirs, ours in zip(probe.SECTIONS, told, facts(code), strict=True):
            shown = 0
            for index, (a, b) in enumerate(zip_longest(theirs, map(ascii, ours))):
                if a != b and shown < limit:
                    shown += 1
                    yield f"{name} line {line}, {section}[{index}]: dis {a}, coscope {b}"
