"""Kind domain: what each value on the stack and in the locals is, so far as CPython trusts it.

Words and lattice: `opcodes/kinds.py`. What an opcode wants and gives: the tables.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from functools import reduce
from typing import NamedTuple

from coscope.errors import StackError
from coscope.flow.contracts import argument_kind
from coscope.flow.domain import Plain
from coscope.flow.domains import kind_makers as makers
from coscope.flow.domains.kind_plans import BORROWING, Plan, plan_of
from coscope.flow.effects import Effect
from coscope.flow.frames import Stack
from coscope.flow.graph import Edge, Graph
from coscope.model import FAST_CELL, FAST_FREE, Code, Region
from coscope.opcodes import kinds
from coscope.opcodes.kinds import describe, given, join, wanted

REFUSED = ~kinds.ANY_OBJECT & kinds.ATOMS  # atoms that are no objects

_AN_OBJECT = (kinds.OBJECT,)

# Of these it is not known whether they are None; NONE is, and the others are not.
_PERHAPS_NONE = kinds.OBJECT | kinds.ITERATION | kinds.DELEGATE

# What a local keeps of a value. The rest becomes an object: `locals()` can be written to.
_KEPT = kinds.NULL | kinds.CELL | kinds.TYPED_CELL

# The group of a fault, by the word of the table that was not met.
_GROUPS = {
    "null": "null",
    "cell": "cell",
    "iterator": "iterator",
    "names": "names",
    "exception": "exception",
    "exceptions": "exception",
    "lasti": "exception",
    "code": "function",
    "function": "function",
    "closure": "function",
    "finished": "function",
    "iteration": "iterator",
    "index": "iterator",
    "delegate": "iterator",
    "bool": "asserted",
    "str": "asserted",
}


class Fault(NamedTuple):
    """What an instruction takes without a check, and does not get on some path."""

    place: int  # index of the instruction
    group: str
    message: str
    expected: str
    found: str


class Kinds(Plain):
    """A stack value is a kind; the locals are one int, `LOCAL_BITS` atoms for each slot.

    Faults are collected, not raised: the machine goes on with what was wanted, so that one
    mistake is reported once.
    """

    # LIST_EXTEND may put anything into a list; what COPY copies has two places from then on.
    renewed = frozenset({"list", "bottom", "function"})
    watches_moves = True
    narrows = True

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.code: Code = graph.code
        self.rules = graph.table
        self.version = graph.code.version
        self.size = len(self.code.localsplusnames)
        self.free = frozenset(
            slot for slot, bits in enumerate(self.code.localspluskinds) if bits & FAST_FREE
        )
        contract = self.rules.contract
        self.typed = {  # slots of cells that hold nothing but a certain kind
            slot: contract[name]
            for slot, name in enumerate(self.code.localsplusnames)
            if name in contract and self.code.localspluskinds[slot] & (FAST_FREE | FAST_CELL)
        }
        self.trusted = not contract.keys().isdisjoint(self.code.names)
        self.faults: dict[tuple[int, str, str], Fault] = {}
        self.plans: dict[Effect, Plan] = {}
        self.constants: dict[int, int] = {}

    def found(self) -> list[Fault]:
        """The faults, in code order."""
        return sorted(self.faults.values())

    # What the machine asks

    def enter(self, graph: Graph, depth: int) -> tuple[Sequence[int], int]:
        code = self.code
        count = code.argcount + code.kwonlyargcount
        count += bool(code.flags & 0x4) + bool(code.flags & 0x8)
        slots = 0
        for slot in range(self.size):
            kind = kinds.NULL
            if slot < count:
                kind = given(argument_kind(code, slot)) & kinds.LOCAL
            slots |= kind << slot * kinds.LOCAL_BITS
        return [kinds.OBJECT] * depth, slots

    def uses_locals(self, effect: Effect) -> bool:
        return True

    def shortcut(self, effect: Effect) -> tuple[Sequence[int], int] | None:
        # Kept for all code of the version, and names may be the compiler's own in some of it.
        return None if plan_of(self.version, effect).name is not None else self.fixed(effect)

    def fixed(self, effect: Effect) -> tuple[Sequence[int], int] | None:
        """As `shortcut`, for this code."""
        plan = plan_of(self.version, effect)
        if plan.name is not None and self.trusted:
            return None
        if plan.moved or plan.local or effect.row.name == "COPY_FREE_VARS":
            return None
        if any(want.test is not None for _, _, want, _ in plan.wants):
            return None
        refused = 0
        for _, _, want, _ in plan.wants:
            refused |= kinds.ATOMS & ~want.atoms
        if plan.handed:
            refused |= kinds.BORROWED
        if effect.row.makes == "call":
            return plan.new, refused | kinds.UNFINISHED | kinds.FUNCTION
        return None if plan.makes is not None else (plan.new, refused)

    def plan(self, effect: Effect) -> Plan:
        """What an effect wants and gives."""
        return plan_of(self.version, effect)

    def values(self, index: int, effect: Effect, operands: Sequence[int]) -> Sequence[int]:
        raise NotImplementedError  # `uses_locals` is always true

    def values_and_locals(
        self, index: int, effect: Effect, operands: Sequence[int], slots: int
    ) -> tuple[Sequence[int], int]:
        plan = self.plans.get(effect)
        if plan is None:
            plan = self.plans[effect] = self.plan(effect)
        if plan.reads is not None:
            if slots >> plan.reads & kinds.LOCAL == kinds.OBJECT:
                return _AN_OBJECT, slots
        elif plan.writes is not None and operands[-1] == kinds.OBJECT and not self.free:
            held = slots >> plan.writes & kinds.LOCAL
            if held:
                return (), slots ^ (held ^ kinds.OBJECT) << plan.writes
        if plan.plain:
            for kind in operands:
                if kind & REFUSED:
                    self.compare(index, effect, plan, operands)
                    break
        else:
            self.compare(index, effect, plan, operands)
        new: Sequence[int] = plan.new
        if plan.moved:
            new = list(new)
            for at, start in plan.moved:
                new[at] = operands[start]
        if plan.makes is not None:
            new = plan.makes(self, index, effect, operands, new)
        if plan.handed:
            new = makers.handed_on(self, index, plan.handed, operands, new)
        if plan.name is not None and self.trusted:
            new = self.in_namespace(index, effect, plan.name, operands, new)
        if plan.local:
            return self.touch(index, effect, plan, operands, slots)
        if effect.row.name == "COPY_FREE_VARS":
            for slot in range(max(0, self.size - effect.oparg), self.size):
                slots = self.put(slots, slot, self.cell(slot))
        return new, slots

    def narrow(self, index: int, stack: Stack, none: bool) -> Stack | None:
        """After `COPY 1` and a test of the copy, what is below is known too."""
        if not stack[2] or index <= self.graph.block_of(index).start:
            return stack
        before = self.rules.by_code[self.code.instructions.opcodes[index - 1]]
        if (
            before is None
            or before.makes != "copy"
            or self.code.instructions.opargs[index - 1] != 1
        ):
            return stack
        left = left_of(stack[1], none)
        return None if left is None else (stack[0], left, stack[2])

    def caught(self, graph: Graph, region: Region) -> Sequence[int]:
        if graph.table.exceptions == "block stack":
            return [kinds.OBJECT] * 6
        return [kinds.LASTI, kinds.EXCEPTION] if region.keeps_lasti else [kinds.EXCEPTION]

    def join(self, block: int, edges: Sequence[Edge | None], values: Sequence[int]) -> int:
        return reduce(join, values)

    def join_locals(self, block: int, left: int, right: int) -> int:
        return left | right

    def widen(self, block: int, old: int, new: int) -> int:
        return join(old, new)

    def fault(self, error: StackError) -> None:
        offsets = self.code.instructions.offsets
        index = bisect_left(offsets, error.offset or 0)
        self.note(index, error.reason, error.what, str(error.expected), str(error.found))

    # Faults

    def note(self, index: int, group: str, message: str, expected: str, found: str) -> None:
        """Keep a fault; of several at one place that say the same, the last."""
        self.faults[index, group, message] = Fault(index, group, message, expected, found)

    def compare(self, index: int, effect: Effect, plan: Plan, operands: Sequence[int]) -> None:
        """Note every operand that is not what the table wants."""
        for start, count, want, word in plan.wants:
            for kind in operands[start : start + count]:
                if kind & kinds.ATOMS & ~want.atoms == 0 and want.test is None and kind:
                    continue
                if not want.admits(kind, effect.oparg):
                    group = self.group(kind, word)
                    name = effect.row.name
                    self.note(
                        index,
                        group,
                        f"{name} does not check what it takes",
                        _worded(word, effect),
                        describe(kind),
                    )

    def group(self, kind: int, word: str) -> str:
        """Which check reports that a value of this kind is not what the table's `word` asks for."""
        if kind & kinds.UNFINISHED:
            return "contract"
        if kind & kinds.NULL and "null" not in word:
            return "null"
        first = word.split(" ")[0]
        if first in ("object", "any", "callable"):
            return "raw"
        return _GROUPS.get(first, "container")

    # Locals

    def get(self, slots: int, slot: int) -> int:
        """Kind of a local."""
        return slots >> slot * kinds.LOCAL_BITS & kinds.LOCAL

    def put(self, slots: int, slot: int, kind: int) -> int:
        """The locals with one of another kind."""
        shift = slot * kinds.LOCAL_BITS
        return slots & ~(kinds.LOCAL << shift) | kind << shift

    def touch(
        self, index: int, effect: Effect, plan: Plan, operands: Sequence[int], slots: int
    ) -> tuple[Sequence[int], int]:
        """Do what an instruction does to locals and cells."""
        new: list[int] = []
        stored = len(operands)
        for access, slot in plan.local:
            verb, what = access.split(" ", 1)
            if slot >= self.size:
                new += [kinds.OBJECT] * (verb in ("read", "save", "capture"))
                continue  # the check of bounds reports it
            kind = self.get(slots, slot)
            if what in ("cell", "name or cell") and verb != "make" and verb != "capture":
                new += self.in_cell(index, effect, access, slot, kind, operands)
                continue
            if slot in self.free and verb in ("write", "delete", "save"):
                self.note(
                    index, "cell", f"{effect.row.name} changes the slot of a free variable",
                    "no change", repr(self.code.localsplusnames[slot]),
                )  # fmt: skip
            if verb in ("read", "capture"):
                kind, slots = self.read(index, effect, slot, kind, slots)
                new.append(kind)
            elif verb == "save":
                new.append(_stacked(kind))
                slots = self.put(slots, slot, kinds.NULL)
            elif verb == "delete":
                slots = self.put(slots, slot, kinds.NULL)
            elif verb == "make":
                if kind != kinds.NULL and slot in self.typed:
                    self.enters(index, effect, slot, kind & ~kinds.NULL)
                slots = self.put(slots, slot, self.cell(slot))
            else:
                stored -= 1
                slots = self.put(slots, slot, self.stored(index, effect, operands[stored]))
        return (new if effect.new else ()), slots

    def cell(self, slot: int) -> int:
        """The kind of the cell that belongs into a slot."""
        return kinds.TYPED_CELL if slot in self.typed else kinds.CELL

    def in_cell(
        self,
        index: int,
        effect: Effect,
        access: str,
        slot: int,
        kind: int,
        operands: Sequence[int],
    ) -> list[int]:
        """What reading through a cell pushes; writing and deleting push nothing."""
        if kind != self.cell(slot):
            self.note(
                index, "cell", f"{effect.row.name} trusts the slot to hold a cell",
                "cell", f"{describe(kind)} in {self.code.localsplusnames[slot]!r}",
            )  # fmt: skip
        if access == "write cell" and slot in self.typed:
            self.enters(index, effect, slot, operands[-1])
        if not access.startswith("read"):
            return []
        return [given(self.typed.get(slot))]

    def in_namespace(
        self, index: int, effect: Effect, name: int, operands: Sequence[int], new: Sequence[int]
    ) -> Sequence[int]:
        """What reading a name pushes, if it is one of the compiler's own; note what enters it."""
        names = self.code.names
        word = self.rules.contract.get(names[name]) if name < len(names) else None
        if word is None:
            return new
        if effect.row.access[0].startswith("write"):
            if not wanted(word).admits(operands[-1], 0):
                self.note(
                    index, "contract", f"{effect.row.name} gives a name of the compiler's own",
                    f"{word} for {names[name]!r}", describe(operands[-1]),
                )  # fmt: skip
            return new
        # LOAD_GLOBAL may push NULL too; the value is where an object is.
        return [given(word) if kind == kinds.OBJECT else kind for kind in new]

    def enters(self, index: int, effect: Effect, slot: int, kind: int) -> None:
        """Note that a value enters a cell that others trust to hold something else."""
        word = self.typed[slot]
        if not wanted(word).admits(kind, 0):
            self.note(
                index, "contract", f"{effect.row.name} puts another kind into a cell of its own",
                f"{word} in {self.code.localsplusnames[slot]!r}", describe(kind),
            )  # fmt: skip

    def read(self, index: int, effect: Effect, slot: int, kind: int, slots: int) -> tuple[int, int]:
        """The kind that reading a local pushes, and the locals after it."""
        if kind & kinds.NULL:
            if not effect.raises:
                self.note(
                    index, "unassigned", f"{effect.row.name} trusts the local to have a value",
                    "a value on every path", f"{self.code.localsplusnames[slot]!r} may have none",
                )  # fmt: skip
            kind = kind & ~kinds.NULL | kinds.OBJECT
            slots = self.put(slots, slot, kind)  # what comes after has found a value
        if effect.row.name.startswith(BORROWING):
            return kind | kinds.BORROWED | slot + 1 << kinds.SHIFT, slots
        return _stacked(kind), slots

    def stored(self, index: int, effect: Effect, kind: int) -> int:
        """The kind that a local keeps of a value."""
        if kind & kinds.BORROWED:
            self.note(
                index, "borrow", f"{effect.row.name} keeps a value that is only borrowed",
                "a value of its own", describe(kind),
            )  # fmt: skip
        return kept(kind)


def kept(kind: int) -> int:
    """What a local keeps of a kind."""
    found = kind & _KEPT
    return found | kinds.OBJECT if kind & kinds.ATOMS & ~_KEPT or not found else found


def left_of(kind: int, none: bool) -> int | None:
    """What is left of a kind where the value was None, or was not; None if nothing is."""
    if kind & _PERHAPS_NONE:
        return kind
    left = kind & ~(kinds.ATOMS ^ kinds.NONE if none else kinds.NONE)
    return left if left & kinds.ATOMS else None


def _stacked(kind: int) -> int:
    """The kind on the stack of what a local held: it has no parameter."""
    return kind | kinds.UNKNOWN if kind & kinds.TUPLE else kind


def _worded(word: str, effect: Effect) -> str:
    return word.replace("oparg", str(effect.oparg))
