"""Mutations of bytes and fields, without regard to what they mean."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Any

from coscope.codec.layouts import split_locals
from coscope.codec.regions import decode_regions, encode_regions
from coscope.model import Code, Flags, Region
from mutation.body import Infeasible
from mutation.pool import Pool
from mutation.registry import field_kind


def _with(subject: Code, /, **fields: Any) -> Code:
    return replace(subject, **fields)


def _starts(code: Code, pool: Pool) -> list[int]:
    """Offsets of the instructions, stepping over caches."""
    steps = pool.rules.steps
    starts = []
    at = 0
    while at < len(code.code):
        starts.append(at)
        at += 2 * steps[code.code[at]]
    return starts


def _byte(code: Code, at: int, value: int) -> Code:
    return _with(code, code=code.code[:at] + bytes((value,)) + code.code[at + 1 :])


@field_kind("names truncated")
def names_truncated(random: Random, code: Code, pool: Pool) -> Code:
    if not code.names:
        raise Infeasible
    return _with(code, names=code.names[: random.randrange(len(code.names))])


@field_kind("constants truncated")
def constants_truncated(random: Random, code: Code, pool: Pool) -> Code:
    if not code.consts:
        raise Infeasible
    return _with(code, consts=code.consts[: random.randrange(len(code.consts))])


@field_kind("constants shuffled")
def constants_shuffled(random: Random, code: Code, pool: Pool) -> Code:
    if len(code.consts) < 2:
        raise Infeasible
    return _with(code, consts=tuple(random.sample(code.consts, len(code.consts))))


@field_kind("names shuffled")
def names_shuffled(random: Random, code: Code, pool: Pool) -> Code:
    if len(code.names) < 2:
        raise Infeasible
    return _with(code, names=tuple(random.sample(code.names, len(code.names))))


@field_kind("code truncated")
def code_truncated(random: Random, code: Code, pool: Pool) -> Code:
    return _with(code, code=code.code[: random.randrange(0, len(code.code), 2)])


@field_kind("hidden opcode planted")
def opcode_planted(random: Random, code: Code, pool: Pool) -> Code:
    return _byte(code, random.choice(_starts(code, pool)), random.choice(pool.planted))


@field_kind("specialised in place")
def specialised(random: Random, code: Code, pool: Pool) -> Code:
    """A specialised or instrumented form of the instruction that is there."""
    rows = pool.rules.by_code
    forms: dict[str, list[int]] = {}
    for row in pool.rules.opcodes.values():
        if row.base is not None:
            forms.setdefault(row.base, []).append(row.code)
    places = []
    for at in _starts(code, pool):
        found = rows[code.code[at]]
        if found is not None and found.name in forms:
            places.append((at, forms[found.name]))
    if not places:
        raise Infeasible
    at, codes = random.choice(places)
    return _byte(code, at, random.choice(codes))


@field_kind("cache bytes set")
def cache_set(random: Random, code: Code, pool: Pool) -> Code:
    starts = set(_starts(code, pool))
    places = [at for at in range(0, len(code.code), 2) if at not in starts]
    if not places:
        raise Infeasible
    at = random.choice(places) + random.randrange(2)
    return _byte(code, at, random.choice((1, 2, 16, 255, random.randrange(256))))


@field_kind("byte flip")
def byte_flip(random: Random, code: Code, pool: Pool) -> Code:
    at = random.randrange(len(code.code))
    return _byte(code, at, code.code[at] ^ 1 << random.randrange(8))


@field_kind("opcode swapped in place")
def opcode_swapped(random: Random, code: Code, pool: Pool) -> Code:
    at = random.choice(_starts(code, pool))
    steps = pool.rules.steps
    same = [row.code for row in pool.base if steps[row.code] == steps[code.code[at]]]
    return _byte(code, at, random.choice(same))


@field_kind("oparg byte")
def oparg_byte(random: Random, code: Code, pool: Pool) -> Code:
    at = random.choice(_starts(code, pool)) + 1
    old = code.code[at]
    new = random.choice((old + 1, old - 1, old ^ 1, old ^ 16, 0, 255, random.randrange(256)))
    return _byte(code, at, new & 255)


@field_kind("stack size")
def stack_size(random: Random, code: Code, pool: Pool) -> Code:
    size = code.stacksize + random.choice((-1, -1, -2, -3, 1, 5, 300, -code.stacksize))
    return _with(code, stacksize=max(0, size))


@field_kind("flags")
def flags(random: Random, code: Code, pool: Pool) -> Code:
    bit = random.choice((0x1, 0x2, 0x4, 0x8, 0x10, 0x20, 0x80, 0x100, 0x200, 0x20000, 0x4000000))
    return _with(code, flags=Flags(code.flags ^ bit))


@field_kind("argument counts")
def argument_counts(random: Random, code: Code, pool: Pool) -> Code:
    name = random.choice(("argcount", "posonlyargcount", "kwonlyargcount"))
    value = max(0, getattr(code, name) + random.choice((-1, 1, 2)))
    return _with(code, **{name: value})


@field_kind("kinds of slots")
def slot_kinds(random: Random, code: Code, pool: Pool) -> Code:
    if not code.localspluskinds:
        raise Infeasible
    kinds = bytearray(code.localspluskinds)
    at = random.randrange(len(kinds))
    kinds[at] = random.choice((0x20, 0x40, 0x60, 0x80, 0x30, kinds[at] ^ 0x40, kinds[at] ^ 0x10))
    return _slots(code, code.localsplusnames, bytes(kinds))


@field_kind("slot added or removed")
def slot_count(random: Random, code: Code, pool: Pool) -> Code:
    names, kinds = code.localsplusnames, code.localspluskinds
    at = random.randrange(len(names) + 1)
    if names and random.random() < 0.5:
        at = min(at, len(names) - 1)
        return _slots(code, names[:at] + names[at + 1 :], kinds[:at] + kinds[at + 1 :])
    kind = bytes((random.choice((0x20, 0x40, 0x80)),))
    return _slots(code, (*names[:at], "extra", *names[at:]), kinds[:at] + kind + kinds[at:])


@field_kind("slots reordered")
def slots_reordered(random: Random, code: Code, pool: Pool) -> Code:
    count = len(code.localsplusnames)
    if count < 2:
        raise Infeasible
    order = random.sample(range(count), count)
    names = tuple(code.localsplusnames[i] for i in order)
    if random.random() < 0.5:
        return _slots(code, names, code.localspluskinds)
    return _slots(code, names, bytes(code.localspluskinds[i] for i in order))


def _slots(code: Code, names: tuple[str, ...], kinds: bytes) -> Code:
    varnames, cellvars, freevars = split_locals(names, kinds)
    return _with(
        code,
        localsplusnames=names,
        localspluskinds=kinds,
        varnames=varnames,
        cellvars=cellvars,
        freevars=freevars,
        nlocals=len(varnames),
    )


def _region(random: Random, code: Code) -> tuple[list[Region], int, Region]:
    regions = decode_regions(code.exceptiontable)
    if not regions:
        raise Infeasible
    at = random.randrange(len(regions))
    return regions, at, regions[at]


def _changed(code: Code, regions: list[Region]) -> Code:
    return _with(code, exceptiontable=encode_regions(regions))


@field_kind("handler depth")
def handler_depth(random: Random, code: Code, pool: Pool) -> Code:
    regions, at, region = _region(random, code)
    step = random.choice((-1, 1, -2, 2))
    regions[at] = region._replace(depth=max(0, region.depth + step))
    return _changed(code, regions)


@field_kind("handler lasti")
def handler_lasti(random: Random, code: Code, pool: Pool) -> Code:
    regions, at, region = _region(random, code)
    regions[at] = region._replace(keeps_lasti=not region.keeps_lasti)
    return _changed(code, regions)


@field_kind("handler target")
def handler_target(random: Random, code: Code, pool: Pool) -> Code:
    regions, at, region = _region(random, code)
    other = random.choice([*(r.target for r in regions), *_starts(code, pool)])
    regions[at] = region._replace(target=other)
    return _changed(code, regions)


@field_kind("handler range")
def handler_range(random: Random, code: Code, pool: Pool) -> Code:
    regions, at, region = _region(random, code)
    starts = _starts(code, pool)
    low, high = region.start, region.stop
    choice = random.randrange(4)
    if choice == 0:
        low = random.choice([s for s in starts if s <= low])
    elif choice == 1:
        high = random.choice([*(s for s in starts if s >= high), len(code.code)])
    elif choice == 2:
        low = random.choice([s for s in starts if low <= s < high] or [low])
    else:
        high = random.choice([s for s in starts if low < s <= high] or [high])
    regions[at] = region._replace(start=low, stop=high)
    return _changed(code, regions)


@field_kind("handler order")
def handler_order(random: Random, code: Code, pool: Pool) -> Code:
    regions, at, region = _region(random, code)
    choice = random.randrange(3)
    if choice == 0:
        del regions[at]
    elif choice == 1:
        regions.insert(random.randrange(len(regions) + 1), region)
    else:
        random.shuffle(regions)
    return _changed(code, regions)


@field_kind("exception table bytes")
def exception_bytes(random: Random, code: Code, pool: Pool) -> Code:
    table = bytearray(code.exceptiontable)
    if not table:
        raise Infeasible
    at = random.randrange(len(table))
    if random.random() < 0.3:
        del table[at:]
    else:
        table[at] ^= 1 << random.randrange(8)
    return _with(code, exceptiontable=bytes(table))


@field_kind("line table")
def line_table(random: Random, code: Code, pool: Pool) -> Code:
    table = bytearray(code.linetable)
    if not table:
        raise Infeasible
    at = random.randrange(len(table))
    choice = random.randrange(4)
    if choice == 0:
        del table[at:]
    elif choice == 1:
        table[at] ^= 1 << random.randrange(8)
    elif choice == 2:
        table += bytes((0xF8 | random.randrange(8),))
    else:
        table[at:at] = table[at : at + random.randint(1, 4)]
    return _with(code, linetable=bytes(table))


@field_kind("first line")
def first_line(random: Random, code: Code, pool: Pool) -> Code:
    return _with(code, firstlineno=random.choice((0, -1, 1, 2**31 - 1, -(2**31), 77)))
