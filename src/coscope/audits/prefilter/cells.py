"""What is known of captured variables before anything is decoded."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from types import CodeType

from coscope.audits.prefilter.glances import (
    BRANCH,
    CALL,
    END,
    NEXT,
    Glance,
    bytecode_of,
    cells_of,
    first_pair,
    free_of,
    nested_in,
)
from coscope.model import Code
from coscope.opcodes import table

_MOST = 256  # slots and constants: of longer opargs only the low byte is looked at


def assigned_late(seen: Glance) -> bool:
    """True if nested code reads a variable that may be unassigned on every path to its call."""
    rows = table(seen.file.version).opcodes
    cells = frozenset(cells_of(seen.code))
    nested = [each for each in nested_in(seen.code) if not cells.isdisjoint(free_of(each))]
    if not nested:
        return False
    if rows["DELETE_DEREF"].code in seen.units or len(seen.consts) > _MOST:
        return True
    slots = slots_of(seen.code, seen.file.version)
    if len(slots) > _MOST:
        return True
    marks = seen.units.translate(seen.file.shape.marks)
    given = parameters_of(seen.code)
    load, store = rows["LOAD_CONST"].code, rows["STORE_DEREF"].code
    for each in nested:
        number = next(at for at, constant in enumerate(seen.consts) if constant is each)
        made = first_pair(seen.bytecode, load, number)
        if made < 0 or first_pair(seen.bytecode, load, number, made + 1) >= 0:
            return True  # in a `finally`, which the compiler writes more than once
        for name in cells.intersection(free_of(each)) - given:
            if not _has_value(seen, marks, store, slots[name], made):
                return True
    return False


def _has_value(seen: Glance, marks: bytes, store: int, slot: int, made: int) -> bool:
    """True if a way leads from an assignment to where nested code is made, or on from there to
    one before anything is called."""
    bytecode = seen.bytecode
    before = after = first_pair(bytecode, store, slot)
    while 0 <= after < made:
        before, after = after, first_pair(bytecode, store, slot, after + 1)
    if 0 <= before < made and _leads(seen, marks, before, made):
        return True
    if after < 0:
        return False
    return all(marks.find(mark, made, after) < 0 for mark in (CALL, BRANCH, NEXT, END))


def _leads(seen: Glance, marks: bytes, start: int, stop: int) -> bool:
    """True if a way is found from one code unit to a later one: on, and over what ends by jumps."""
    while True:
        end = marks.find(END, start, stop)
        if end < 0:
            return True
        over = stop + 1
        for at in range(start, end):
            if marks[at] in (BRANCH, NEXT):
                target = seen.target_of(at)
                if end < target < over:
                    over = target
        if over > stop:
            return False
        start = over


def written_unread(seen: Glance) -> bool:
    """True if nested code may assign a variable of this code that no code here reads."""
    version = seen.file.version
    store = table(version).opcodes["STORE_DEREF"].code
    inside = list(_all_nested(seen.code))
    if not any(store in bytecode_of(code)[::2] and free_of(code) for code in inside):
        return False
    own = frozenset(name for name in cells_of(seen.code) if name != "_" and name[:2] != "__")
    most = max(len(slots_of(code, version)) for code in (seen.code, *inside))
    if most > _MOST:
        return True
    written = {name for code in inside for name in _used(code, version, own, (store,))}
    reads = _reads(version)
    for code in (seen.code, *inside) if written else ():
        written -= set(_used(code, version, written, reads))
    return bool(written)


def _used(
    code: CodeType | Code, version: str, names: Iterable[str], opcodes: Iterable[int]
) -> list[str]:
    """Which of the names the code itself uses by one of these opcodes."""
    slots = slots_of(code, version)
    bytecode = bytecode_of(code)
    return [
        name
        for name in names
        if name in slots
        and any(first_pair(bytecode, opcode, slots[name]) >= 0 for opcode in opcodes)
    ]


def _all_nested(code: CodeType | Code) -> Iterable[CodeType | Code]:
    pending = nested_in(code)
    while pending:
        each = pending.pop()
        yield each
        pending += nested_in(each)


@cache
def _reads(version: str) -> tuple[int, ...]:
    rows = table(version).by_code
    return tuple(
        row.code
        for row in rows
        if row is not None
        and row.operand == "deref"
        and any(access.startswith("read") for access in row.access)
    )


def slots_of(code: CodeType | Code, version: str) -> dict[str, int]:
    """What opargs call the variables that live in cells."""
    cells, free = cells_of(code), free_of(code)
    if table(version).deref == "cells":
        return {name: at for at, name in enumerate((*cells, *free))}
    local = code.co_varnames if isinstance(code, CodeType) else code.varnames
    names = (*local, *(name for name in cells if name not in local), *free)
    wanted = {*cells, *free}
    return {name: at for at, name in enumerate(names) if name in wanted}


def parameters_of(code: CodeType | Code) -> frozenset[str]:
    """The names of all parameters, those with asterisks too."""
    if isinstance(code, CodeType):
        flags, names = code.co_flags, code.co_varnames
        count = code.co_argcount + code.co_kwonlyargcount
    else:
        flags, names = code.flags, code.varnames
        count = code.argcount + code.kwonlyargcount
    return frozenset(names[: count + bool(flags & 0x4) + bool(flags & 0x8)])
