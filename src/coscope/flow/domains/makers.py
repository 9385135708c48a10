"""Makers domain: which instructions made each value, through the stack and the variables."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from coscope.errors import StackError
from coscope.flow.domain import Plain
from coscope.flow.domains.depth import values_caught
from coscope.flow.effects import Effect
from coscope.flow.graph import Edge, Graph
from coscope.model import Code, Region
from coscope.opcodes import table

Makers = frozenset[int]
Slots = tuple[Makers, ...]

UNKNOWN: Makers = frozenset([-1])  # the interpreter, or more instructions than are kept apart
NOTHING: Makers = frozenset()
_MOST = 64  # instructions that are kept apart
_MOST_NAMES = 512  # of a module or class body: beyond, each read of a name stands for itself
_FIRST = -2  # the maker of slot 0 before the first instruction


class Maker(int):
    """The index of an instruction that makes several values, and which of them it is."""

    slot: int  # from 0, the deepest first

    def __new__(cls, index: int, slot: int) -> Maker:
        made = super().__new__(cls, index)
        made.slot = slot
        return made


def maker_of_slot(slot: int) -> int:
    """The maker of what a variable holds before the first instruction: what the caller gives."""
    return _FIRST - slot


def slot_of_maker(maker: int) -> int | None:
    """The variable whose first value it is; None for an instruction, and for the unknown."""
    return _FIRST - maker if maker <= _FIRST else None


class MakersDomain(Plain):
    """Values are the indexes of the instructions that may have made them.

    A variable hands its value on: what is read has the makers of what was stored. Parameters and
    free variables hold `maker_of_slot` at first. Where one variable is assigned another, the
    assignment itself is the maker: what is known of the value there may differ from elsewhere. A
    read of a variable that may also be assigned elsewhere (by nested code, or as a global) has the
    reading instruction among its makers.

    Attributes:
        takers: By instruction, its effect and the makers of what it popped, at the last visit.

    Args:
        code: The code object.
        written_inside: Its cell variables that nested code may assign.
    """

    watches_moves = True

    def __init__(self, code: Code, written_inside: Collection[str] = ()) -> None:
        self.takers: dict[int, tuple[Effect, tuple[Makers, ...]]] = {}
        self._code = code
        self._cell_base = 0 if table(code.version).deref == "localsplus" else code.nlocals
        self._size = len(code.localsplusnames)
        self._names = len(code.names) if len(code.names) <= _MOST_NAMES else 0
        self._copies = _copies(code)
        inside = frozenset(written_inside)
        self._elsewhere = frozenset(
            slot for slot, name in enumerate(code.localsplusnames) if name in inside
        )

    def enter(self, graph: Graph, depth: int) -> tuple[Sequence[Makers], Slots]:
        code = self._code
        count = code.argcount + code.kwonlyargcount
        count += bool(code.flags & 0x4) + bool(code.flags & 0x8)
        slots = [NOTHING] * (self._size + self._names)
        first: dict[str, int] = {}
        free = set(code.freevars)
        for slot, name in enumerate(code.localsplusnames):
            if slot < count:
                first[name] = maker_of_slot(slot)
            elif name in free:
                first.setdefault(name, maker_of_slot(slot))
            if name in first:  # to 3.10 a parameter that is captured has a cell of its own
                slots[slot] = frozenset([first[name]])
        return [UNKNOWN] * depth, tuple(slots)

    def uses_locals(self, effect: Effect) -> bool:
        return any(access in _VARIABLES for access in effect.row.access)

    def values(self, index: int, effect: Effect, operands: Sequence[Makers]) -> Sequence[Makers]:
        if operands:
            self.takers[index] = effect, tuple(operands)
        if effect.fresh > 1:
            return [frozenset([Maker(index, slot)]) for slot in range(effect.fresh)]
        return [frozenset([index])] * effect.fresh

    def values_and_locals(
        self, index: int, effect: Effect, operands: Sequence[Makers], slots: Slots
    ) -> tuple[Sequence[Makers], Slots]:
        if operands:
            self.takers[index] = effect, tuple(operands)
        new: list[Makers] = []
        stored = len(operands)
        for verb, slot in self._touched(effect):
            known = 0 <= slot < len(slots)
            if verb == "write":
                stored -= 1
                copied = index in self._copies and len(operands) == 1
                value = frozenset([index]) if copied else operands[stored]
                slots = _with(slots, slot, value) if known else slots
            elif verb == "delete":
                slots = _with(slots, slot, NOTHING) if known else slots
            else:
                held = slots[slot] if known else NOTHING
                if not held or slot in self._elsewhere:
                    held |= {index}
                new.append(held)
                if verb == "save":
                    slots = _with(slots, slot, NOTHING) if known else slots
        if len(new) != effect.fresh:  # an instruction that also makes other values
            new = [frozenset([Maker(index, slot)]) for slot in range(effect.fresh)]
        return new, slots

    def _touched(self, effect: Effect) -> list[tuple[str, int]]:
        """What an instruction does to variables: the verb, and the variable's slot."""
        row, oparg = effect.row, effect.oparg
        if row.operand == "local pair":
            verbs = [access.partition(" ")[0] for access in row.access]
            return list(zip(verbs, (oparg >> 4, oparg & 15), strict=True))
        verb = row.access[0].partition(" ")[0]
        if row.operand == "local":
            return [(verb, oparg)]
        if row.operand == "deref":
            return [(verb, oparg + self._cell_base)]
        return [(verb, self._size + oparg if oparg < self._names else -1)]

    def caught(self, graph: Graph, region: Region) -> Sequence[Makers]:
        return [UNKNOWN] * values_caught(graph, region)

    def join(self, block: int, edges: Sequence[Edge | None], values: Sequence[Makers]) -> Makers:
        return _joined(values)

    def join_locals(self, block: int, left: Slots, right: Slots) -> Slots:
        pairs = zip(left, right, strict=True)
        return tuple([a if a is b or a == b else _joined((a, b)) for a, b in pairs])

    def widen(self, block: int, old: Makers, new: Makers) -> Makers:
        return _joined((old, new))

    def fault(self, error: StackError) -> None:
        raise error


def _copies(code: Code) -> frozenset[int]:
    """The instructions that assign to a variable what the one before has read from another."""
    rows = table(code.version).by_code
    reads = {r.code for r in rows if r and r.access and r.access[-1] in _READS}
    writes = {r.code for r in rows if r and r.access and r.access[0] in _WRITES}
    opcodes = code.instructions.opcodes
    return frozenset(
        at
        for at, opcode in enumerate(opcodes)
        if opcode in writes and at and opcodes[at - 1] in reads
    )


def _joined(values: Sequence[Makers]) -> Makers:
    every: frozenset[Any] = frozenset().union(*values)
    return UNKNOWN if len(every) > _MOST else every


def _with(slots: Slots, slot: int, value: Makers) -> Slots:
    return (*slots[:slot], value, *slots[slot + 1 :])


_VARIABLES = frozenset(
    (
        *("read local", "write local", "delete local", "save local"),
        *("read cell", "write cell", "delete cell", "read name or cell"),
        *("read name", "write name", "delete name"),
    )
)
_READS = frozenset({"read local", "read cell", "read name or cell", "read name"})
_WRITES = frozenset({"write local", "write cell", "write name"})
