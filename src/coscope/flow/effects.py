"""What one instruction does to the stack, compiled from its table row for one oparg."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

from coscope.opcodes import Opcode, table
from coscope.opcodes.slots import Slot

V = TypeVar("V")


@dataclass(frozen=True, eq=False, slots=True)
class Effect:
    """The slots that an instruction takes and leaves, on one path.

    A pushed slot is either moved (a popped slot of the same name) or new. Groups stay groups, so
    an effect is small however large its oparg is.
    """

    row: Opcode
    oparg: int
    popped: int  # slots taken
    pushed: int  # slots left
    at_error: int  # slots of `popped` that are still there when it raises
    new: tuple[tuple[str, int], ...]  # new slots: name and how many, deepest first
    fresh: int  # new slots in all
    plan: tuple[tuple[int, int], ...]  # to lay the pushed slots: (start in popped, or -1; count)
    pops: tuple[tuple[str, int, int], ...]  # name, start in popped, count; deepest first
    raises: bool
    late: bool  # `throw()` raises in it when it has its effect behind it
    tests: bool  # the instruction ends its block with a condition

    def lay(self, operands: Sequence[V], new: Sequence[V]) -> list[V]:
        """Lay out the pushed values, deepest first, from the popped and the new ones."""
        laid: list[V] = []
        at = 0
        for start, count in self.plan:
            if start < 0:
                laid += new[at : at + count]
                at += count
            else:
                laid += operands[start : start + count]
        return laid

    def operand(self, operands: Sequence[V], name: str) -> Sequence[V]:
        """The popped values of the slot `name`, deepest first; empty if it is absent."""
        for slot, start, count in self.pops:
            if slot == name:
                return operands[start : start + count]
        return ()


@lru_cache(maxsize=8192)
def effect_of(
    version: str, opcode: int, oparg: int, jump: bool, renewed: frozenset[str] = frozenset()
) -> Effect:
    """The effect of an opcode with an oparg.

    Args:
        version: Of the opcode table.
        opcode: Number that the table defines.
        oparg: With its prefixes applied.
        jump: On the path of the jump.
        renewed: Moved slots for which the domain gives a value of its own.
    """
    row = table(version).by_code[opcode]
    assert row is not None
    pops = []
    popped = 0
    for slot in row.pop_slots:
        count = slot.size(oparg)
        pops.append((slot.name, popped, count))
        popped += count
    pushes = row.jump_push_slots if jump else row.push_slots
    plan, new = _plan(pushes, pops, oparg, renewed)
    return Effect(
        row=row,
        oparg=oparg,
        popped=popped,
        pushed=sum(count for _, count in plan),
        at_error=popped if row.keeps else _at_error(pushes, pops, oparg),
        new=tuple(new),
        fresh=sum(count for _, count in new),
        plan=tuple(plan),
        pops=tuple(pops),
        raises=row.raises,
        late=("sent", 1) in new,
        tests=row.tests is not None,
    )


def _plan(
    pushes: Sequence[Slot],
    pops: Sequence[tuple[str, int, int]],
    oparg: int,
    renewed: frozenset[str],
) -> tuple[list[tuple[int, int]], list[tuple[str, int]]]:
    origins = {name: start for name, start, _ in pops}
    plan: list[tuple[int, int]] = []
    new: list[tuple[str, int]] = []
    for slot in pushes:
        count = slot.size(oparg)
        if not count:
            continue
        if slot.name in origins and slot.name not in renewed:
            plan.append((origins[slot.name], count))
        else:
            plan.append((-1, count))
            new.append((slot.name, count))
    return plan, new


def _at_error(pushes: Sequence[Slot], pops: Sequence[tuple[str, int, int]], oparg: int) -> int:
    """Slots above the untouched ones when the instruction raises.

    Values that it only looks at stay; what else it takes is gone. `throw()` raises in a YIELD that
    has its effect behind it, with the sent value on the stack.
    """
    plan, new = _plan(pushes, pops, oparg, frozenset())
    if ("sent", 1) in new:
        return sum(count for _, count in plan)
    kept = 0
    for start, count in plan:
        if start != kept:
            break
        kept += count
    return kept
