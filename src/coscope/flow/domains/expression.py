"""Expression domain: the symbolic stack, a short text for each value, as the tables say."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, cached_property
from typing import Any

from coscope.errors import StackError
from coscope.flow.domain import Plain
from coscope.flow.dominators import find_dominators
from coscope.flow.effects import Effect, effect_of
from coscope.flow.frames import Frames
from coscope.flow.graph import Edge, Graph
from coscope.flow.machine import run
from coscope.flow.texts import Scene, Template, Text, compiled
from coscope.flow.texts.decisions import arrivals, decide
from coscope.flow.texts.forms import is_comprehension
from coscope.flow.texts.text import (
    COMPARED,
    Alternatives,
    Display,
    Settled,
    literal,
    shown_name,
)
from coscope.model import Code, Region
from coscope.opcodes import Opcode, table
from coscope.opcodes.slots import Slot

_MOST_ALTERNATIVES = 4
_LOOK_BACK = 8  # instructions between KW_NAMES and its CALL, at most
_NOTHING = Text("")
_NAMES = frozenset({"name", "name>>1", "name>>2", "local", "deref"})


class Expression(Plain):
    """Values are texts: what the value is, in terms of names, constants and operations.

    A domain serves one run.
    """

    renewed = frozenset({"list", "set", "dict"})
    watches_moves = True

    def __init__(self) -> None:
        self.graph: Graph | None = None
        self._conditions: dict[int, Text] = {}  # by block: what its last instruction tests
        self._arguments: dict[int, Text | tuple[Text, ...]] = {}

    def enter(self, graph: Graph, depth: int) -> tuple[Sequence[Text], None]:
        self.graph = graph
        return [Text("<value sent first>")] * depth, None

    def uses_locals(self, effect: Effect) -> bool:
        return False

    def values(self, index: int, effect: Effect, operands: Sequence[Text]) -> Sequence[Text]:
        if effect.tests and operands:
            self._test(index, effect, operands)
        if not effect.new:
            return ()
        shows = _templates(effect.row)
        scene = Scene(
            effect, operands, self._argument(index, effect), self._keywords(index, effect)
        )
        values: list[Text] = []
        for name, count in effect.new:
            template = shows.get(name)
            if template is None:  # a moved slot that this opcode leaves as it is
                values += effect.operand(operands, name)
            else:
                values += [template.fill(scene, number) for number in range(count)][::-1]
        return values

    def values_and_locals(
        self, index: int, effect: Effect, operands: Sequence[Text], slots: Any
    ) -> tuple[Sequence[Text], Any]:
        return self.values(index, effect, operands), slots

    def caught(self, graph: Graph, region: Region) -> Sequence[Text]:
        return _caught(graph.code.version, region.keeps_lasti)

    def join(self, block: int, edges: Sequence[Edge | None], values: Sequence[Text]) -> Text:
        for value in values:
            if isinstance(value.origin, Settled) and value.origin.block == block:
                return value
        grown = [value for value in values if is_comprehension(value)]
        if grown and all(value in grown or _is_empty(value) for value in values):
            return grown[0]
        return self._decided(block, edges, values) or _alternatives(values)

    def join_locals(self, block: int, left: Any, right: Any) -> Any:
        return left

    def widen(self, block: int, old: Text, new: Text) -> Text:
        if isinstance(old.origin, Settled):
            return old
        first = old.origin.texts[0] if isinstance(old.origin, Alternatives) else str(old)
        return Text(f"φ({first}, …)", origin=Settled(block))

    def fault(self, error: StackError) -> None:
        raise error

    @cached_property
    def _above(self) -> tuple[int | None, ...]:
        assert self.graph is not None
        return find_dominators(self.graph)

    def _decided(
        self, block: int, edges: Sequence[Edge | None], values: Sequence[Text]
    ) -> Text | None:
        assert self.graph is not None
        found = arrivals(edges, values)
        above = self._above[block]
        if found is None or above is None:
            return None
        return decide(self.graph, block, above, found, self._conditions)

    def _test(self, index: int, effect: Effect, operands: Sequence[Text]) -> None:
        assert self.graph is not None
        text = condition(effect, operands)
        if text is not None:
            self._conditions[self.graph.block_of(index).index] = text

    def _argument(self, index: int, effect: Effect) -> Text | tuple[Text, ...]:
        found = self._arguments.get(index)
        if found is None:
            assert self.graph is not None
            found = self._arguments[index] = argument(self.graph.code, index, effect.row)
        return found

    def _keywords(self, index: int, effect: Effect) -> tuple[str, ...] | None:
        """Keyword names that KW_NAMES, a few instructions before, set for a call (3.11, 3.12)."""
        graph = self.graph
        assert graph is not None
        if "KW_NAMES" not in graph.table.opcodes or effect.row.shows != "{call}":
            return None
        instructions = graph.code.instructions
        rows = graph.table.by_code
        for before in range(index - 1, max(-1, index - _LOOK_BACK), -1):
            row = rows[instructions.opcodes[before]]
            if row is not None and row.operand == "const names":
                names = instructions.argval(before)
                return tuple(map(_name, names)) if isinstance(names, tuple) else None
            if row is None or _names_of(row.pop_slots) != _names_of(row.push_slots):
                return None
        return None


def expressions(graph: Graph) -> Frames[Text]:
    """The symbolic stack before each instruction.

    Raises:
        StackError: As `machine.run`.
    """
    return run(graph, Expression())


def condition(effect: Effect, operands: Sequence[Text]) -> Text | None:
    """What a conditional jump tests, as a text that is true or false; None for other tests."""
    top = operands[-1]
    match effect.row.tests:
        case "true" | "false":
            return top
        case "none" | "not none":
            return Text(f"{top.within(COMPARED + 1)} is None", COMPARED)
        case "not exception match":
            return Text(f"issubclass({operands[-2]}, {top})")
    return None


def argument(code: Code, index: int, row: Opcode) -> Text | tuple[Text, ...]:
    """The shown operand of an instruction."""
    if row.operand in ("none", "count"):
        return _NOTHING
    instructions = code.instructions
    if row.operand in ("const", "small int"):
        oparg = instructions.opargs[index]
        if row.operand == "small int":
            return literal(oparg)
        if 0 <= oparg < len(code.consts):
            return literal(code.consts[oparg])
        return Text(instructions.argrepr(index))
    if row.operand == "local pair":
        pair = instructions.argval(index)
        return tuple(_local(name) for name in pair)
    value = instructions.argval(index)
    if row.operand in _NAMES:
        return _local(value)
    if row.operand == "compare" and isinstance(value, str):
        return Text(value)
    return Text(instructions.argrepr(index))


def _local(name: object) -> Text:
    return Text(shown_name(name)) if isinstance(name, str) else Text(f"<name {name}>")


def _name(name: object) -> str:
    return shown_name(name) if isinstance(name, str) else f"<name {type(name).__name__}>"


@cache
def _caught(version: str, keeps_lasti: bool) -> tuple[Text, ...]:
    """What a handler finds, as the table's SETUP_FINALLY says it; from 3.11 the exception."""
    row = table(version).opcodes.get("SETUP_FINALLY")
    if row is None:
        return (Text("<lasti>"),) * keeps_lasti + (Text("<exception>"),)
    effect = effect_of(version, row.code, 0, True)
    shows = _templates(row)
    scene = Scene(effect, (), _NOTHING, None)
    return tuple(shows[name].fill(scene) for name, _ in effect.new)


def _templates(row: Opcode) -> dict[str, Template]:
    """By pushed slot."""
    found = _TEMPLATES.get(id(row))
    if found is None or found[0] is not row:
        shows = row.shows
        if isinstance(shows, str):
            moved = {slot.name for slot in row.pop_slots}
            names = [slot.name for slot in (*row.push_slots, *row.jump_push_slots)]
            shows = {name: shows for name in names if name not in moved}
        texts = {slot: compiled(text) for slot, text in (shows or {}).items()}
        found = _TEMPLATES[id(row)] = row, texts
    return found[1]


_TEMPLATES: dict[int, tuple[Opcode, dict[str, Template]]] = {}


def _names_of(slots: Sequence[Slot]) -> list[str]:
    return [slot.name for slot in slots]


def _is_empty(value: Text) -> bool:
    return isinstance(value.origin, Display) and not value.origin.items


def _alternatives(values: Sequence[Text]) -> Text:
    """`φ(a, b)`: one of several, depending on the path."""
    texts: dict[str, None] = {}
    for value in values:
        if isinstance(value.origin, Alternatives):
            texts.update(dict.fromkeys(value.origin.texts))
        else:
            texts[str(value)] = None
    shown = list(texts)
    if len(shown) == 1:
        return values[0]
    if len(shown) > _MOST_ALTERNATIVES:
        shown = [*shown[:_MOST_ALTERNATIVES], "…"]
    return Text(f"φ({', '.join(shown)})", origin=Alternatives(tuple(shown)))
