"""Assigned domain: which local variables may have a value before each instruction."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import cached_property

from coscope.errors import StackError
from coscope.flow.domain import Plain
from coscope.flow.domains.depth import values_caught
from coscope.flow.effects import Effect
from coscope.flow.frames import Frames
from coscope.flow.graph import Edge, Graph
from coscope.flow.machine import run
from coscope.model import FAST_CELL, FAST_FREE, Code, Region
from coscope.opcodes import table


class Assigned(Plain):
    """A frame's locals are a set of bits: variables that some path gives a value.

    A stack value is False if it is certainly NULL (a variable without a value, saved by an
    inlined comprehension), else True.

    Args:
        code: The code object.
        written_inside: Own cell variables that nested code may assign; from the moment that such
            a cell is captured, it may have a value.
    """

    def __init__(self, code: Code, written_inside: Collection[str] = ()) -> None:
        self.code = code
        self.written_inside = frozenset(written_inside)

        # Before 3.11 cells are counted by themselves; their bits come after those of the locals.
        self._unified = table(code.version).deref == "localsplus"
        self._cell_base = 0 if self._unified else code.nlocals

    def enter(self, graph: Graph, depth: int) -> tuple[Sequence[bool], int]:
        code = self.code
        count = code.argcount + code.kwonlyargcount
        count += bool(code.flags & 0x4) + bool(code.flags & 0x8)
        given = set(code.varnames[:count]) | set(code.freevars)
        bits = (1 << count) - 1
        for bit, name in self.bits.items():
            if name in given:
                bits |= 1 << bit
        return [True] * depth, bits

    @cached_property
    def bits(self) -> dict[int, str]:
        """Bit -> name of every variable that lives in a cell."""
        code = self.code
        if self._unified:
            kinds = code.localspluskinds
            return {
                slot: name
                for slot, name in enumerate(code.localsplusnames)
                if slot < len(kinds) and kinds[slot] & (FAST_CELL | FAST_FREE)
            }
        return dict(enumerate(code.cellvars + code.freevars, code.nlocals))

    def uses_locals(self, effect: Effect) -> bool:
        operand = effect.row.operand
        return bool(effect.row.access) and operand in ("local", "local pair", "deref")

    def values(self, index: int, effect: Effect, operands: Sequence[bool]) -> Sequence[bool]:
        return [True] * effect.fresh

    def values_and_locals(
        self, index: int, effect: Effect, operands: Sequence[bool], slots: int
    ) -> tuple[Sequence[bool], int]:
        new = [True] * effect.fresh
        stored = len(operands)
        for access, bit in self.touched(effect):
            mask = 1 << bit
            verb = access.split()[0]
            if verb == "write":
                stored -= 1
                slots = slots | mask if operands[stored] else slots & ~mask
            elif verb == "delete":
                slots &= ~mask
            elif verb == "save":
                new = [bool(slots & mask)]
                slots &= ~mask
            elif verb == "capture" or (access == "read local" and bit in self.bits):
                if self.bits.get(bit) in self.written_inside:
                    slots |= mask
            elif verb == "read":
                slots |= mask  # what comes after has found a value
        return new, slots

    def touched(self, effect: Effect) -> list[tuple[str, int]]:
        """The accesses of an instruction to variables: the table's words, and the bit of each."""
        row, oparg = effect.row, effect.oparg
        if row.operand == "local pair":
            return list(zip(row.access, (oparg >> 4, oparg & 15), strict=True))
        base = 0 if row.operand == "local" else self._cell_base
        return [(row.access[0], oparg + base)]

    def caught(self, graph: Graph, region: Region) -> Sequence[bool]:
        return [True] * values_caught(graph, region)

    def join(self, block: int, edges: Sequence[Edge | None], values: Sequence[bool]) -> bool:
        return any(values)

    def join_locals(self, block: int, left: int, right: int) -> int:
        return left | right

    def widen(self, block: int, old: bool, new: bool) -> bool:
        return old or new

    def fault(self, error: StackError) -> None:
        raise error


def assigned(graph: Graph, written_inside: Collection[str] = ()) -> tuple[Assigned, Frames[bool]]:
    """Run the domain; the frames' locals are its bits.

    Raises:
        StackError: As `machine.run`.
    """
    domain = Assigned(graph.code, written_inside)
    return domain, run(graph, domain)
