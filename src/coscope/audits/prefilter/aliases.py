"""Under which other names the code of a file may have a function that rules look for."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from coscope.audits.prefilter.glances import Glance, free_of
from coscope.opcodes import table

_NEAR = 24  # code units between the function's name and where what wraps it is assigned
_BYTE = 256  # of more names only the low byte of an index is looked at
_WRAPPERS = frozenset({"partial", "staticmethod", "getattr", "attrgetter", "vars", "globals"})


def aliases_in(seen: Glance, words: frozenset[str]) -> Iterator[str]:
    """Names and attributes that are assigned one of the words, or what wraps it; not its own name,
    under which `from m import word` has it: by that it is found anyway.

    Args:
        seen: The code.
        words: Names of functions. A constant may hold one, too.
    """
    stores, loads, constants = _opcodes(seen.file.version)
    units, bytecode = seen.units, seen.bytecode
    if not any(opcode in units for opcode in stores):
        return
    names = [at for at, name in enumerate(seen.names) if name in words]
    texts = [at for at, each in enumerate(seen.consts) if type(each) is str and each in words]
    wanted = {
        bytes((opcode, (at << bits & 0xFF) | flag)): seen.names[at]
        for opcode, bits in loads
        for at in names
        for flag in ((0, 1) if bits else (0,))
    }
    wanted |= {bytes((opcode, at & 0xFF)): "" for opcode in constants for at in texts}
    wrapped = not _WRAPPERS.isdisjoint(seen.names)
    for pair, word in wanted.items():
        at = bytecode.find(pair)
        while at >= 0:
            if not at & 1:
                near = _NEAR if wrapped else 0
                for name in _assigned(seen, stores, at // 2 + 1, near):
                    if name != word or len(seen.names) > _BYTE:
                        yield name
            at = bytecode.find(pair, at + 1)


def _assigned(seen: Glance, stores: frozenset[int], start: int, near: int) -> Iterator[str]:
    """The names that are assigned at once after a code unit, or near it."""
    units = seen.units
    at = start
    while at < len(units):
        if units[at] in stores:
            oparg = seen.bytecode[2 * at + 1]
            yield from (name for n, name in enumerate(seen.names) if n & 0xFF == oparg)
            return
        if units[at] and at - start >= near:
            return
        at += 1


def lends(seen: Glance) -> bool:
    """True if nested code may use a variable of this code."""
    kind = type(seen.code)
    return any(type(each) is kind and free_of(each) for each in seen.consts)


@cache
def _opcodes(
    version: str,
) -> tuple[frozenset[int], tuple[tuple[int, int], ...], frozenset[int]]:
    """Opcodes that assign to a name; that load one, with their flag bits; that load a constant."""
    rules = table(version)
    stores, loads = set(), set()
    for row in rules.by_code:
        if row is None or not row.access or not row.operand.startswith("name"):
            continue
        if row.access[0] in ("write name", "write global", "write attribute"):
            stores.add(row.code)
        elif row.access[0].startswith(("read", "import attribute")):
            loads.add((row.code, int(row.operand.partition(">>")[2] or 0)))
    return frozenset(stores), tuple(loads), rules.constants
