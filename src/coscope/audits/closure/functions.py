"""What closure rules share: the functions that code makes, and what they certainly read."""

from __future__ import annotations

from coscope.audits.subject.subject import Subject
from coscope.facts.names.uses import uses_of
from coscope.flow import Graph, dominates, find_dominators
from coscope.model import Code

_PARTS = 5  # SET_FUNCTION_ATTRIBUTE, once for each part of a function (3.13)


def function_made(subject: Subject, made_by: frozenset[int]) -> Code | None:
    """The code of the function that a value certainly is: no decorator, no other value."""
    for _ in range(_PARTS):
        if len(made_by) != 1:
            return None
        (maker,) = made_by
        given = subject.takers.get(maker) if maker >= 0 else None
        if given is None:
            return None
        name = subject.instructions.opname(maker)
        if name == "MAKE_FUNCTION":
            held = given[0].operand(given[1], "code")
            return _constant(subject, held[0]) if held else None
        if name != "SET_FUNCTION_ATTRIBUTE":
            return None
        held = given[0].operand(given[1], "function")
        if not held:
            return None
        made_by = held[0]
    return None


def _constant(subject: Subject, made_by: frozenset[int]) -> Code | None:
    found = [subject.instructions.argval(at) for at in made_by if at >= 0]
    return found[0] if len(found) == 1 and isinstance(found[0], Code) else None


def certain_read(subject: Subject, name: str) -> int | None:
    """An instruction that reads a free variable on every path to a return."""
    graph = subject.graph
    returns = [] if graph is None else _returning(subject, graph)
    if graph is None or not returns:
        return None
    above = find_dominators(graph)
    for used, _, use in uses_of(subject.code):
        if used != name or use.access != "read cell":
            continue
        index = subject.instructions.at(use.offset).index
        block = graph.block_of(index).index
        if all(dominates(above, block, each) for each in returns):
            return index
    return None


def _returning(subject: Subject, graph: Graph) -> list[int]:
    """The reachable blocks that end by a return."""
    return [
        block.index
        for block in graph.blocks
        if block.reachable
        and not block.edges
        and subject.opnames[block.stop - 1].startswith("RETURN")
    ]
