"""Calls by what they call, where the stack proves it: on every path the same name is loaded."""

from __future__ import annotations

from coscope.errors import CodeError
from coscope.flow import build
from coscope.flow.domains.origin import Origins, takers
from coscope.flow.effects import Effect
from coscope.model import Code
from coscope.opcodes import Opcode, table

_CALLS = ("CALL", "CALL_KW", "CALL_FUNCTION_EX")
_LONGEST = 20  # attributes in a dotted name

_Takers = dict[int, tuple[Effect, tuple[Origins, ...]]]


def calls_of(code: Code, name: str) -> frozenset[int]:
    """Indexes of the instructions that call what a name loads.

    Args:
        code: The code object; if its stack cannot be followed, no call is proved.
        name: A name as the source writes it, also dotted.
    """
    rules = table(code.version).by_code
    columns = code.instructions
    if not any(columns.opname(at) in _CALLS for at in range(len(columns))):
        return frozenset()
    try:
        taken = takers(build(code))
    except CodeError:
        return frozenset()
    found = set()
    for at, (_, origins) in taken.items():
        row = rules[columns.opcodes[at]]
        if row is not None and row.name in _CALLS:
            slot = _slot(row)
            if slot < len(origins) and _is_called(code, origins[slot], name, taken):
                found.add(at)
    return frozenset(found)


def _slot(row: Opcode) -> int:
    """Where the callable lies among what a call pops."""
    names = [slot.name for slot in row.pop_slots]
    return next(
        (at for at, name in enumerate(names) if name in ("callable", "self_or_callable")), 0
    )


def _is_called(code: Code, origins: Origins, name: str, taken: _Takers) -> bool:
    return bool(origins) and all(_loaded(code, at, taken) == name for at in origins)


def _loaded(code: Code, at: int, taken: _Takers) -> str | None:
    """The dotted name that an instruction loads; None if it is none."""
    columns, rules = code.instructions, table(code.version).by_code
    parts: list[str] = []
    while at >= 0 and len(parts) < _LONGEST:
        row = rules[columns.opcodes[at]]
        value = columns.argval(at)
        if row is None or type(value) is not str or not row.access:
            return None
        if row.access[0] == "read attribute" and at in taken:
            parts.append(value)
            owners = taken[at][1][0]
            if len(owners) != 1:
                return None
            [at] = owners
        elif row.access[0] in ("read global", "read name", "read local", "read cell"):
            return ".".join([value, *reversed(parts)])
        else:
            return None
    return None
