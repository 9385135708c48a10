"""A number or string exchanged in live code, where that needs no more than another entry.

This is the direct way to what `constants.replace_constants` does, for the plainest case: every load
of the constant is certainly a literal of the source, has no prefix, and stays as it is, or holds a
small number that stays one. Whatever is not certain is left to the other way.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from types import CodeType
from typing import NamedTuple

from coscope.errors import hidden_for
from coscope.opcodes import table
from coscope.patcher.applying.literals import loading

__tracebackhide__ = hidden_for

PLAIN = frozenset({int, float, complex, bytes, str})

_OPTIMIZED = 0x3  # CO_OPTIMIZED, CO_NEWLOCALS: a function, whose locals are not hidden
_CONTAINERS = (tuple, frozenset, slice)


class _Beside(NamedTuple):
    """A pattern of the table, by opcodes alone: what it asks besides can only make it rarer."""

    needed: tuple[frozenset[int], ...]  # one of each must be in the code
    before: tuple[frozenset[int] | None, ...]  # the nearest first; None: any
    after: tuple[frozenset[int] | None, ...]


class _Direct(NamedTuple):
    """What the direct way has to know of a version."""

    pooled: frozenset[int]  # opcodes whose oparg is an index in co_consts
    small: int  # LOAD_SMALL_INT; -1 if there is none
    prefix: int
    passed: frozenset[int]
    around: tuple[_Beside, ...]
    at: frozenset[int]  # opcodes that may show a string to be the compiler's
    shared: frozenset[object]  # constants that other instructions hold


@cache
def _direct(version: str) -> _Direct:
    rules = table(version)
    kinds = loading(version)
    number = {name: row.code for name, row in rules.opcodes.items()}
    made = rules.compiler_made
    return _Direct(
        pooled=kinds.pooled | kinds.named,
        small=next(iter(kinds.small), -1),
        prefix=rules.extended_arg,
        passed=frozenset({number["NOP"], 0}),  # 0 is a cache
        # Where another load has the very position of this one, both are of None.
        around=tuple(
            _beside(text, version)
            for text in (*made.around, *made.future_annotations)
            if "LOAD=" not in text.split()
        ),
        at=frozenset(number[name] for name in (*made.at, "BUILD_STRING")),
        shared=frozenset(rules.common_literals.values()) if kinds.fixed else frozenset(),
    )


def _beside(text: str, version: str) -> _Beside:
    words = text.split()
    at = words.index("@")
    before = tuple(_opcodes(word, version) for word in reversed(words[:at]))
    after = tuple(_opcodes(word, version) for word in words[at + 1 :])
    return _Beside(tuple(each for each in (*before, *after) if each is not None), before, after)


def _opcodes(word: str, version: str) -> frozenset[int] | None:
    names = word.removesuffix("=").partition("(")[0]
    found: set[int] = set()
    for name in names.split("|"):
        if name == "*":
            return None
        if name == "LOAD":
            found |= loading(version).every
        else:
            rows = table(version).opcodes.values()
            start = name.removesuffix("*")
            found |= {
                row.code
                for row in rows
                if (row.name.startswith(start) if name != start else row.name == name)
            }
    return frozenset(found)


def exchanged(
    co: CodeType, pairs: tuple[tuple[object, object], ...], version: str
) -> tuple[bytes, tuple[object, ...]] | None:
    """The bytecode and the constants with others in them, all at once.

    Args:
        co: Live, of this interpreter.
        pairs: Old and new constants, of the types in `PLAIN`, the two of one pair of one type.
        version: Of the interpreter.

    Returns:
        None if it takes more than that.
    """
    if co.co_flags & _OPTIMIZED != _OPTIMIZED:
        return None
    direct, raw, consts = _direct(version), co.co_code, co.co_consts
    opcodes, opargs = raw[::2], raw[1::2]
    present = frozenset(opcodes)
    near = [each for each in direct.around if _may_be(each, present)]
    entries = list(consts)
    bytecode: bytearray | None = None
    for old, new in pairs:
        kind = type(old)
        if kind is str and (not direct.at.isdisjoint(present) or old in consts[:1]):
            return None
        if old in direct.shared or _is_held(old, consts):
            return None
        slots = [at for at, each in enumerate(consts) if type(each) is kind and _same(each, old)]
        hits = list(_loads(opcodes, opargs, slots, old, direct))
        if not hits or any(not _is_plain(opcodes, at, near, direct) for at in hits):
            return None
        for at in hits:
            if opcodes[at] == direct.small:
                if type(new) is not int or not 0 <= new < 256:
                    return None
                bytecode = bytearray(raw) if bytecode is None else bytecode
                bytecode[2 * at + 1] = new
            else:
                entries[opargs[at]] = new
    return raw if bytecode is None else bytes(bytecode), tuple(entries)


def _may_be(beside: _Beside, present: frozenset[int]) -> bool:
    return not any(each.isdisjoint(present) for each in beside.needed)


def _same(one: object, other: object) -> bool:
    """Of one type, the sign of zero and the bits of a NaN left to the other way."""
    return one == other and (type(one) not in (float, complex) or one != 0)


def _is_held(old: object, consts: tuple[object, ...]) -> bool:
    """True if a container may hold it."""
    pending = [each for each in consts if type(each) in _CONTAINERS]
    while pending:
        each = pending.pop()
        if type(each) is slice:
            pending.append((each.start, each.stop, each.step))
            continue
        for part in each:  # type: ignore[attr-defined]
            if type(part) in _CONTAINERS:
                pending.append(part)
            elif type(part) is type(old) and part == old:
                return True
    return False


def _loads(
    opcodes: bytes, opargs: bytes, slots: list[int], old: object, direct: _Direct
) -> Iterator[int]:
    """Code units that load the constant. A cache is zeros, so no load is found in one."""
    for opcode in direct.pooled:
        at = opcodes.find(opcode)
        while at >= 0:
            if opargs[at] in slots:
                yield at
            at = opcodes.find(opcode, at + 1)
    if direct.small >= 0 and type(old) is int:
        at = opcodes.find(direct.small)
        while at >= 0:
            if opargs[at] == old:
                yield at
            at = opcodes.find(direct.small, at + 1)


def _is_plain(opcodes: bytes, at: int, near: list[_Beside], direct: _Direct) -> bool:
    """True if a load has no prefix, and no pattern of the compiler's own loads can fit."""
    if at and opcodes[at - 1] == direct.prefix:
        return False
    for each in near:
        if _fits(opcodes, at, each.after, 1, direct) and _fits(
            opcodes, at, each.before, -1, direct
        ):
            return False
    return True


def _fits(
    opcodes: bytes, at: int, wanted: tuple[frozenset[int] | None, ...], step: int, direct: _Direct
) -> bool:
    for each in wanted:
        at += step
        while 0 <= at < len(opcodes) and opcodes[at] in direct.passed:
            at += step
        if not 0 <= at < len(opcodes):
            return False
        # A prefix may hide what follows: it is taken for whatever is looked for.
        if opcodes[at] == direct.prefix:
            return True
        if each is not None and opcodes[at] not in each:
            return False
    return True
