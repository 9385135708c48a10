"""Under which other names the code of a file may have a function that rules look for."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from coscope.audits.prefilter.glances import Glance, free_of
from coscope.opcodes import table

_NEAR = 24  # code units between the function's name and where it is assigned


def aliases_in(seen: Glance, words: frozenset[str]) -> Iterator[str]:
    """Names and attributes that are assigned just after one of the words is loaded.

    Args:
        seen: The code.
        words: Names of functions. A constant may hold one, too.
    """
    stores, loads, constants = _opcodes(seen.file.version)
    units, bytecode = seen.units, seen.bytecode
    names = [at for at, name in enumerate(seen.names) if name in words]
    texts = [at for at, each in enumerate(seen.consts) if type(each) is str and each in words]
    wanted = {(opcode, at << bits & 0xFF) for opcode, bits in loads for at in names}
    wanted |= {(opcode, at & 0xFF) for opcode in constants for at in texts}
    flags = dict(loads)
    until = -1
    for at, opcode in enumerate(units):
        oparg = bytecode[2 * at + 1]
        bits = flags.get(opcode, 0)
        if (opcode, oparg >> bits << bits & 0xFF) in wanted:
            until = at + _NEAR
        elif at <= until and opcode in stores:
            yield from (name for n, name in enumerate(seen.names) if n & 0xFF == oparg)


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
