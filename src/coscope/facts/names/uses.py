"""Each use of a name by an instruction, as its opcode says."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from coscope.model import FAST_CELL, FAST_FREE, Code
from coscope.opcodes import table


class Use(NamedTuple):
    """One instruction's use of one name."""

    access: str  # the table's words: "read global", "write cell", "read name or cell"
    offset: int  # byte offset in co_code
    line: int | None


class SlotUse(NamedTuple):
    """A use, with what it uses."""

    name: str
    slot: int  # of a local: the fast local; of a cell: see `cell_slots`; else the index in names
    use: Use


class _Reading(NamedTuple):
    """How one opcode of one version uses names."""

    accesses: tuple[str, ...]
    shift: int  # flag bits below the index
    pair: bool
    fast: bool  # its operand counts fast locals, among which cells may be


@cache
def _readings(version: str) -> tuple[_Reading | None, ...]:
    """By opcode number; None for an opcode that uses no name."""
    opcodes = table(version)
    found: list[_Reading | None] = []
    for row in opcodes.by_code:
        if row is None or not row.access or row.operand == "none":
            found.append(None)
            continue
        shift = int(row.operand.partition(">>")[2] or 0)
        pair = row.operand == "local pair"
        fast = row.operand.startswith("local") and opcodes.deref == "localsplus"
        found.append(_Reading(row.access, shift, pair, fast))
    return tuple(found)


# From 3.13 a cell is captured, and from 3.12 one that an inlined comprehension hides is saved and
# restored, by the opcodes of plain locals. What they do to a cell's slot goes by other words.
_OF_A_CELL = {
    "read local": "capture cell",
    "save local": "save cell",
    "write local": "restore cell",
    "delete local": "restore cell",
}


def uses_of(code: Code) -> Iterator[SlotUse]:
    """Every use of a name by the code's own instructions, in code order.

    Raises:
        CodeError: The bytes are not an instruction sequence of their version.

    Source:
        CPython 3.13.0, Python/flowgraph.c, convert_pseudo_ops: LOAD_CLOSURE becomes LOAD_FAST;
        Python/compile.c, push_inlined_comprehension_state.
    """
    columns = code.instructions
    readings = _readings(code.version)
    kinds = code.localspluskinds
    lines = columns.positions
    for at, opcode in enumerate(columns.opcodes):
        reading = readings[opcode]
        if reading is None:
            continue
        oparg = columns.opargs[at]
        value = columns.argval(at)
        names = value if reading.pair else (value,)
        slots = (oparg >> 4, oparg & 15) if reading.pair else (oparg >> reading.shift,)
        for access, name, slot in zip(reading.accesses, names, slots, strict=True):
            if type(name) is not str:
                continue  # an index that lies outside of the names
            if reading.fast and slot < len(kinds) and kinds[slot] & (FAST_CELL | FAST_FREE):
                access = _OF_A_CELL[access]
            yield SlotUse(name, slot, Use(access, columns.offsets[at], lines[at][0]))


def cell_slots(code: Code) -> dict[int, tuple[str, str]]:
    """Slot -> name and kind ("cell" or "free") of the variables that live in cells.

    A slot is counted as the opcodes of the version count it: from 3.11 it is the fast local, to
    3.10 the index in cellvars + freevars.
    """
    if table(code.version).deref == "localsplus":
        return {
            slot: (name, "free" if bits & FAST_FREE else "cell")
            for slot, (name, bits) in enumerate(
                zip(code.localsplusnames, code.localspluskinds, strict=False)
            )
            if bits & (FAST_CELL | FAST_FREE)
        }
    cells = [(name, "cell") for name in code.cellvars] + [(name, "free") for name in code.freevars]
    return dict(enumerate(cells))
