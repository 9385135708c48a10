"""Made domain: how each value was made, and which stores may have given each variable its value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from coscope.errors import StackError
from coscope.flow.domain import Plain
from coscope.flow.domains.depth import values_caught
from coscope.flow.effects import Effect
from coscope.flow.frames import Frames
from coscope.flow.graph import Edge, Graph
from coscope.flow.machine import run
from coscope.model import Region

# A variable: ("slot", its number in the fast locals) or ("name", name of a module's or class's
# variable, or of a global).
Variable = tuple[str, int | str]
Stores = frozenset[int]  # indexes of instructions, or one of the following
PARAMETER, UNASSIGNED, OUTSIDE = -1, -2, -3

_MOST = 8  # values that are kept apart where paths meet


class Made:
    """One value: the instruction that made it and what that instruction took.

    Two are equal only if they are the same object: the domain makes each once.
    """

    __slots__ = ("index", "operands", "options", "place", "stores", "variable")

    def __init__(
        self,
        index: int,
        place: int = 0,
        operands: tuple[Made, ...] = (),
        variable: Variable | None = None,
        stores: Stores = frozenset(),
        options: tuple[Made, ...] = (),
    ) -> None:
        self.index = index  # of the instruction; -1: the interpreter, or several
        self.place = place  # among the values that the instruction makes, deepest first
        self.operands = operands  # what it popped, deepest first
        self.variable = variable  # that it read
        self.stores = stores  # of the variable, that may have been the last before
        self.options = options  # it is one of these, depending on the path


UNKNOWN = Made(-1)


class Making(Plain):
    """Values are `Made`, locals map each variable to the stores that may have been its last."""

    def __init__(self) -> None:
        self.graph: Graph | None = None
        self.taken: dict[int, tuple[Made, ...]] = {}  # by instruction: what it popped
        self._kept: dict[tuple[object, ...], Made] = {}
        self._base = 0

    def enter(self, graph: Graph, depth: int) -> tuple[Sequence[Made], Mapping[Variable, Stores]]:
        self.graph = graph
        code = graph.code
        self._base = 0 if graph.table.deref == "localsplus" else code.nlocals
        count = code.argcount + code.kwonlyargcount
        count += bool(code.flags & 0x4) + bool(code.flags & 0x8)
        slots: dict[Variable, Stores] = {}
        for slot, name in enumerate(code.localsplusnames):
            outside = name in code.freevars
            origin = PARAMETER if slot < count else OUTSIDE if outside else UNASSIGNED
            slots["slot", slot] = frozenset([origin])
        return [UNKNOWN] * depth, slots

    def uses_locals(self, effect: Effect) -> bool:
        return any(_is_variable(access) for access in effect.row.access)

    def values(self, index: int, effect: Effect, operands: Sequence[Made]) -> Sequence[Made]:
        taken = self.taken[index] = tuple(operands)
        return [self._made(index, place, taken) for place in range(effect.fresh)]

    def values_and_locals(
        self,
        index: int,
        effect: Effect,
        operands: Sequence[Made],
        slots: Mapping[Variable, Stores],
    ) -> tuple[Sequence[Made], Mapping[Variable, Stores]]:
        taken = self.taken[index] = tuple(operands)
        stored = len(taken)
        new: list[Made] = []
        for access, variable in self.touched(index, effect):
            verb = access.split()[0]
            if verb == "write":
                stored -= 1
                slots = {**slots, variable: _given(index, taken[stored])}
            elif verb == "delete":
                slots = {**slots, variable: frozenset([index])}
            elif verb in ("read", "save"):
                stores = slots.get(variable, frozenset([OUTSIDE]))
                place = -1 if verb == "save" else len(new)
                new.append(self._made(index, place, taken, variable, stores))
                if verb == "save":
                    slots = {**slots, variable: frozenset([UNASSIGNED])}
        while len(new) < effect.fresh:
            new.append(self._made(index, len(new), taken))
        return new[: effect.fresh], slots

    def touched(self, index: int, effect: Effect) -> list[tuple[str, Variable]]:
        """The accesses of an instruction to variables, in the table's words."""
        row, oparg = effect.row, effect.oparg
        if row.operand == "local pair":
            slots = (oparg >> 4, oparg & 15)
            return [
                (access, ("slot", slot)) for access, slot in zip(row.access, slots, strict=True)
            ]
        access = row.access[0]
        if row.operand == "local":
            return [(access, ("slot", oparg))]
        if row.operand == "deref":
            return [(access, ("slot", oparg + self._base))]
        assert self.graph is not None
        name = self.graph.code.instructions.argval(index)
        return [(access, ("name", name if isinstance(name, str) else oparg))]

    def caught(self, graph: Graph, region: Region) -> Sequence[Made]:
        return [UNKNOWN] * values_caught(graph, region)

    def join(self, block: int, edges: Sequence[Edge | None], values: Sequence[Made]) -> Made:
        options: dict[int, Made] = {}
        for value in values:
            for option in value.options or (value,):
                options[id(option)] = option
        if UNKNOWN in options.values() or len(options) > _MOST:
            return UNKNOWN
        key = ("join", block, *options)
        found = self._kept.get(key)
        if found is None:
            found = self._kept[key] = Made(-1, options=tuple(options.values()))
        return found

    def join_locals(
        self, block: int, left: Mapping[Variable, Stores], right: Mapping[Variable, Stores]
    ) -> Mapping[Variable, Stores]:
        joined: dict[Variable, Stores] | None = None
        for variable, stores in right.items():
            before = left.get(variable, frozenset([OUTSIDE]))
            if not stores <= before:
                joined = dict(left) if joined is None else joined
                joined[variable] = before | stores
        for variable in left.keys() - right.keys():
            joined = dict(left) if joined is None else joined
            joined[variable] = left[variable] | {OUTSIDE}
        return left if joined is None else joined

    def widen(self, block: int, old: Made, new: Made) -> Made:
        return UNKNOWN

    def fault(self, error: StackError) -> None:
        raise error

    def _made(
        self,
        index: int,
        place: int,
        taken: tuple[Made, ...],
        variable: Variable | None = None,
        stores: Stores = frozenset(),
    ) -> Made:
        key = (index, place, variable, stores, *map(id, taken))
        found = self._kept.get(key)
        if found is None:
            found = self._kept[key] = Made(index, place, taken, variable, stores)
        return found


def _is_variable(access: str) -> bool:
    return not access.endswith("attribute") and not access.startswith(("import", "capture"))


def _given(index: int, value: Made) -> Stores:
    """A variable's stores after one; what an inlined comprehension put away comes back."""
    if value.variable is not None and value.stores and value.index >= 0 and value.place < 0:
        return value.stores
    return frozenset([index])


def made(graph: Graph) -> tuple[Making, Frames[Made]]:
    """Run the domain.

    Raises:
        StackError: As `machine.run`.
    """
    domain = Making()
    return domain, run(graph, domain)


__all__ = ["OUTSIDE", "PARAMETER", "UNASSIGNED", "UNKNOWN", "Made", "Making", "Variable", "made"]
