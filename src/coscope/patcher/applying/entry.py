"""A hook on entry, put into plain code without a listing: nothing after it changes but offsets.

From 3.11 on every jump is relative, and none leads to or across the place behind RESUME. So the
hook is a few code units more there: regions and their targets move, the location table gets an
entry more, and the bytecode is what it was. Whatever is not that plain is left to `calls`.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import NamedTuple

from coscope.codec.locations import Location, decode_locations, encode_locations
from coscope.codec.regions import decode_regions, encode_regions
from coscope.errors import CodeError, TruncatedTable
from coscope.model import Code, Region
from coscope.opcodes import table
from coscope.patcher.applying.pools import Constants, modelled
from coscope.patcher.edits.model import InsertCall, Literal

_UNIT = 2  # bytes


class _Parts(NamedTuple):
    """What a version calls with."""

    resume: int
    plain: frozenset[int]  # what may be before RESUME in a function
    generator: tuple[int, int]  # RETURN_GENERATOR and what follows it
    steps: bytes  # code units of each opcode
    load: int
    null: int
    calls: tuple[int, ...]  # (PRECALL,) CALL
    pop: int
    prefix: int
    null_first: bool


@cache
def _parts(version: str) -> _Parts | None:
    rules = table(version)
    if rules.exceptions != "varint" or rules.lines != "locations":
        return None
    number = {name: row.code for name, row in rules.opcodes.items()}
    return _Parts(
        resume=number["RESUME"],
        plain=frozenset(number[name] for name in ("COPY_FREE_VARS", "MAKE_CELL", "NOP")),
        generator=(number["RETURN_GENERATOR"], number["POP_TOP"]),
        steps=rules.steps,
        load=number["LOAD_CONST"],
        null=number["PUSH_NULL"],
        calls=tuple(number[name] for name in ("PRECALL", "CALL") if name in number),
        pop=number["POP_TOP"],
        prefix=rules.extended_arg,
        null_first=rules.opcodes["CALL"].pop_slots[0].name != "callable",
    )


def hook_on_entry(code: Code, edit: InsertCall) -> Code | None:
    """The code with a call of constants alone at its start; None if it takes more than that.

    Args:
        code: Of whatever version.
        edit: `at` is "entry".
    """
    parts = _parts(code.version)
    values = [edit.call, *edit.args]
    if parts is None or code.name[:1] == "<" or not all(type(each) is Literal for each in values):
        return None
    if edit.replace or not code.instructions.plain:
        return None
    at = _behind_resume(code, parts)
    if at is None:
        return None
    constants = Constants(code)
    indexes = [constants.add(modelled(each.value)) for each in values if type(each) is Literal]
    hook = _call(indexes, parts)
    try:
        linetable = _located(code, at // _UNIT, len(hook) // _UNIT)
        regions = [_moved(each, at, len(hook)) for each in decode_regions(code.exceptiontable)]
    except (CodeError, TruncatedTable):
        return None
    if linetable is None:
        return None
    return replace(
        code,
        code=code.code[:at] + hook + code.code[at:],
        consts=tuple(constants.items),
        linetable=linetable,
        exceptiontable=encode_regions(regions) if regions else code.exceptiontable,
        stacksize=max(code.stacksize, 2 + len(edit.args)),
    )


def _behind_resume(code: Code, parts: _Parts) -> int | None:
    """The offset at which the frame is ready; None if that is not certain."""
    columns = code.instructions
    opcodes = bytes(columns.opcodes)
    at = opcodes.find(parts.resume)
    if at < 0 or at + 1 >= len(opcodes):
        return None
    before = opcodes[:at]
    if before[-2:] == bytes(parts.generator):
        before = before[:-2]
    if not parts.plain.issuperset(before):
        return None
    return columns.offsets[at + 1]


def _call(indexes: list[int], parts: _Parts) -> bytes:
    """The bytes of a call, caches included."""
    callee, *args = indexes
    null = bytes((parts.null, 0))
    load = _loaded(callee, parts)
    made = [null + load if parts.null_first else load + null]
    made += [_loaded(index, parts) for index in args]
    for opcode in parts.calls:
        made.append(bytes((opcode, len(args))) + bytes(_UNIT * (parts.steps[opcode] - 1)))
    made.append(bytes((parts.pop, 0)))
    return b"".join(made)


def _loaded(index: int, parts: _Parts) -> bytes:
    low = bytes((parts.load, index & 0xFF))
    while index := index >> 8:
        low = bytes((parts.prefix, index & 0xFF)) + low
    return low


def _moved(region: Region, at: int, size: int) -> Region:
    """A region after the hook came in; it takes the hook in if it has RESUME."""
    start = region.start + size if region.start >= at else region.start
    stop = region.stop + size if region.stop > at or start < at <= region.stop else region.stop
    target = region.target + size if region.target >= at else region.target
    return Region(start, stop, target, region.depth, region.keeps_lasti)


def _located(code: Code, at: int, units: int) -> bytes | None:
    """The location table with the hook in the line of what follows it.

    Args:
        code: The code object.
        at: Code units before the hook.
        units: Of the hook.
    """
    raw = code.linetable
    covered = start = 0
    while covered < at and start < len(raw):
        covered += (raw[start] & 7) + 1
        start = _next(raw, start)
    if covered != at or start >= len(raw):
        return None
    stop = _next(raw, start)
    found = decode_locations(raw[:stop], code.firstlineno)
    lines = [each.span.lineno for each in found[:-1] if each.span.lineno is not None]
    line = lines[-1] if lines else code.firstlineno
    following = found[-1]
    if following.span.lineno is None:
        return None
    entries = [Location(units, following.span), following]
    return raw[:start] + encode_locations(entries, line) + raw[stop:]


def _next(raw: bytes, at: int) -> int:
    """Where the next entry starts."""
    at += 1
    while at < len(raw) and not raw[at] & 0x80:
        at += 1
    return at
