"""What the values of a failing instruction are, as far as that is known without running anything.

Variables are read from the frame. Items and attributes are read again only where that runs nothing
but the interpreter's own code, and arithmetic is done with small numbers and strings alone.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import FrameType, ModuleType

from coscope.explanations.kinds import is_exactly
from coscope.explanations.model import NOW, THEN
from coscope.explanations.standing import Standing
from coscope.flow.domains.made import Made, Variable
from coscope.readers.attributes import MISSING, is_a, member
from coscope.readers.frames import frame_locals
from coscope.readers.members import attribute_of

_ITEMS = 100_000  # of a dict that are compared with a key
_DEPTH = 30  # of what a value is made from
_LARGEST = 10**30  # of numbers that are computed with
_LONGEST = 1000  # of strings


@dataclass(frozen=True, slots=True)
class Known:
    """A live object, and whether it is certainly the one that the instruction had."""

    thing: object
    when: str  # THEN or NOW


_SIMPLE: dict[str, Callable[..., object]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "//": operator.floordiv,
    "%": operator.mod,
    "/": operator.truediv,
    "<": operator.lt,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    ">=": operator.ge,
}
_NUMBERS = (int, float, bool)
_HASHED = (str, int, float, bool, bytes, type(None))


class Scene:
    """The values of one frame, at its failing instruction.

    Args:
        standing: Where the frame stands.
        frame: The frame itself.
    """

    def __init__(self, standing: Standing, frame: FrameType) -> None:
        self.standing = standing
        self.frame = frame
        self.co = frame.f_code
        self.locals: Mapping[str, object] = frame_locals(frame)
        self.facts: dict[int, Known] = {}  # by id of the Made
        self._kept: dict[int, Known | None] = {}
        self.snapshot: Mapping[str, object] | None = None  # locals when it failed, if recorded

    def value(self, node: Made, depth: int = _DEPTH) -> Known | None:
        """The value of an operand; None if it is not known."""
        if id(node) in self.facts:
            return self.facts[id(node)]
        if id(node) not in self._kept:
            self._kept[id(node)] = None  # of itself it is not made
            self._kept[id(node)] = self._value(node, depth)
        return self._kept[id(node)]

    def _value(self, node: Made, depth: int) -> Known | None:
        if node.index < 0 or depth <= 0 or node.options:
            return None
        if node.variable is not None:
            return self._variable(node, node.variable)
        columns = self.standing.instructions
        row = self.standing.effect(node.index).row
        if columns.opcodes[node.index] in self._constants:
            return self._constant(node)
        taken = [self.value(each, depth - 1) for each in node.operands]
        if row.access == ("read attribute",) and len(taken) == 1:
            name = columns.argval(node.index)
            shows = row.shows
            first = next(iter(shows), "attr") if isinstance(shows, dict) else "attr"
            if node.place == 0 and first and isinstance(name, str):
                return self._attribute(taken[0], name)
            return None
        if any(each is None for each in taken):
            return None
        known = [each for each in taken if each is not None]
        return self._computed(node, row.name, known)

    @property
    def _constants(self) -> frozenset[int]:
        """Opcodes that load a constant."""
        graph = self.standing.graph
        return frozenset() if graph is None else graph.table.constants

    def _constant(self, node: Made) -> Known | None:
        effect = self.standing.effect(node.index)
        if effect.row.operand == "const":
            consts = self.co.co_consts
            return Known(consts[effect.oparg], THEN) if effect.oparg < len(consts) else None
        value = self.standing.instructions.argval(node.index)
        return Known(value, THEN) if is_exactly(value, *_HASHED, tuple) else None

    # Variables

    def _variable(self, node: Made, variable: Variable) -> Known | None:
        access = self.standing.effect(node.index).row.access
        name = self.standing.name(variable)
        if variable[0] == "slot" and not any("name" in word for word in access):
            return self._local(node, variable, name)
        if any("name" in word for word in access):
            found = self.locals.get(name, MISSING)
            if found is not MISSING:
                return Known(found, NOW)
        found = self._global(name)
        return None if found is MISSING else Known(found, NOW)

    def _local(self, node: Made, variable: Variable, name: str) -> Known | None:
        recorded = self.snapshot is not None and name in self.snapshot
        if recorded and not self.standing.rewritten(variable, node.index, after=False):
            assert self.snapshot is not None
            return Known(self.snapshot[name], THEN)
        found = self.locals.get(name, MISSING)
        if found is MISSING or self.standing.rewritten(variable, node.index):
            return None
        if name in self.co.co_freevars or name in self._shared:
            return Known(found, NOW)
        return Known(found, THEN)

    @property
    def _shared(self) -> set[str]:
        """Own cells: nested code may have stored into them."""
        return set(self.co.co_cellvars)

    def _global(self, name: str) -> object:
        for namespace in (self.frame.f_globals, self.frame.f_builtins):
            if type(namespace) is dict:
                found = namespace.get(name, MISSING)
                if found is not MISSING:
                    return found
        return MISSING

    # What is made from other values

    def _attribute(self, owner: Known | None, name: str) -> Known | None:
        if owner is None:
            return None
        found = attribute_read(owner.thing, name)
        return None if found is MISSING else Known(found, NOW)

    def _computed(self, node: Made, opname: str, taken: list[Known]) -> Known | None:
        when = THEN if all(each.when == THEN for each in taken) else NOW
        things = [each.thing for each in taken]
        argument = self.standing.instructions.argval(node.index)
        symbol = self.standing.instructions.argrepr(node.index)
        if opname == "BINARY_SUBSCR" or (opname == "BINARY_OP" and symbol == "[]"):
            found = item_read(things[0], things[1])
            fixed = is_exactly(things[0], tuple, str, bytes)
            return None if found is MISSING else Known(found, when if fixed else NOW)
        if opname in ("BINARY_OP", "COMPARE_OP") and len(things) == 2:
            word = symbol if opname == "BINARY_OP" else str(argument)
            found = computed(word.removesuffix("=") if word not in _SIMPLE else word, things)
            return None if found is MISSING else Known(found, when)
        if opname == "UNARY_NEGATIVE" and is_exactly(things[0], *_NUMBERS):
            return Known(-things[0], when)  # type: ignore[operator]
        if opname == "IS_OP":
            same = things[0] is things[1]
            return Known(same != bool(self.standing.effect(node.index).oparg), when)
        if opname == "BUILD_TUPLE":
            return Known(tuple(things), when)
        if opname == "UNPACK_SEQUENCE" and is_exactly(things[0], tuple, list):
            items = list(things[0])  # type: ignore[call-overload]
            place = len(items) - 1 - node.place
            if len(items) == self.standing.effect(node.index).oparg and place >= 0:
                return Known(items[place], when if type(things[0]) is tuple else NOW)
        return None


def attribute_read(owner: object, name: str) -> object:
    """An attribute, where reading it runs the interpreter's own code alone; else MISSING."""
    if is_a(owner, ModuleType):
        namespace = member(ModuleType, "__dict__", owner)
        return dict.get(namespace, name, MISSING) if type(namespace) is dict else MISSING
    found = attribute_of(owner, name)
    if found.unbound is not None or found.value is MISSING:
        return MISSING
    if is_a(found.value, property) or is_a(found.value, cached_property):
        return MISSING
    return found.value


def item_read(owner: object, key: object) -> object:
    """An item of an exact built-in container; else MISSING. No user's `__eq__` is called."""
    if is_exactly(owner, list, tuple, str, bytes):
        if type(key) is int and -len(owner) <= key < len(owner):  # type: ignore[arg-type]
            return owner[key]  # type: ignore[index]
        return MISSING
    if type(owner) is dict and plain_key(key) and len(owner) <= _ITEMS:
        for held, value in list(owner.items()):
            if same_key(held, key):
                return value
    return MISSING


def plain_key(key: object) -> bool:
    """True for a key that is compared without running a user's code."""
    if type(key) is tuple:
        return len(key) < 20 and all(map(plain_key, key))
    return is_exactly(key, *_HASHED)


def same_key(held: object, key: object) -> bool:
    """True if a dict takes the two for the same key."""
    if held is key:
        return True
    if is_exactly(held, *_NUMBERS) and is_exactly(key, *_NUMBERS):
        return bool(held == key)
    return type(held) is type(key) and plain_key(held) and bool(held == key)


def computed(word: str, things: list[object]) -> object:
    """The result of an operator on small numbers or strings; else MISSING."""
    function = _SIMPLE.get(word)
    if function is None or len(things) != 2:
        return MISSING
    left, right = things
    numbers = is_exactly(left, *_NUMBERS) and is_exactly(right, *_NUMBERS)
    if numbers:
        if not all(abs(each) < _LARGEST for each in things):  # type: ignore[arg-type]
            return MISSING
    elif (
        type(left) is not str
        or type(right) is not str
        or word in ("*", "%")
        or len(left) + len(right) > _LONGEST
    ):
        return MISSING
    try:
        return function(left, right)
    except (ArithmeticError, TypeError, ValueError):
        return MISSING


def leaves(node: Made, seen: set[int]) -> Iterator[Made]:
    """What a value is made from: every variable, attribute and item under it, outermost first."""
    for operand in node.operands:
        for each in operand.options or (operand,):
            if id(each) not in seen:
                seen.add(id(each))
                yield each
                yield from leaves(each, seen)
