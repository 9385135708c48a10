"""The loops of a code object, and what each of their rounds executes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from coscope.errors import CodeError
from coscope.flow import Graph, Loop, dominates, find_dominators, find_loops
from coscope.model import Code, Span
from coscope.opcodes import table


@dataclass(frozen=True, slots=True)
class LoopFacts:
    """One loop."""

    depth: int  # 1 for an outermost loop
    parent: int | None  # index in `Subject.loops` of the loop around it
    line: int | None  # on which it begins
    iterates: int | None  # index of the FOR_ITER at its head; None for a `while`
    indexes: frozenset[int]  # of the instructions in it, those of inner loops too
    every_round: frozenset[int]
    """Those that no complete round leaves out: they dominate all ways back to the head. Those of
    inner loops, which may run more than once or not at all, count only as far as that is true."""
    inner: frozenset[int]  # those that inner loops have


@cache
def _back(version: str) -> tuple[frozenset[int], frozenset[int]]:
    """Opcodes that jump back, and those that may."""
    rows = [row for row in table(version).by_code if row is not None and row.jump is not None]
    sure = frozenset(row.code for row in rows if row.jump == "backward")
    return sure, frozenset(row.code for row in rows if row.jump == "absolute")


def jumps_back(code: Code) -> bool:
    """True if some instruction jumps backwards; bytes of caches may make it say so in error."""
    sure, maybe = _back(code.version)
    used = frozenset(code.code[::2])
    if not used.isdisjoint(sure):
        return True
    if used.isdisjoint(maybe):
        return False
    try:
        columns = code.instructions
    except CodeError:
        return False
    for index, opcode in enumerate(columns.opcodes):
        if opcode in maybe:
            target = columns.jump_target(index)
            if target is not None and target <= columns.offsets[index]:
                return True
    return False


def loops_in(graph: Graph) -> tuple[LoopFacts, ...]:
    """The loops of a graph, outer ones before inner ones, then in code order."""
    try:
        loops = find_loops(graph)
    except CodeError:
        return ()
    above = find_dominators(graph)
    return tuple(_facts(graph, loops, at, above) for at in range(len(loops)))


def _facts(
    graph: Graph, loops: tuple[Loop, ...], at: int, above: tuple[int | None, ...]
) -> LoopFacts:
    loop = loops[at]
    iterates = _iterates(graph, loop)
    sources = [edge.source for edge in loop.back_edges]
    always = [
        block
        for block in loop.blocks
        if not loop.irreducible and all(dominates(above, block, source) for source in sources)
    ]
    children = [other.blocks for other in loops if other.parent == at]
    return LoopFacts(
        depth=loop.depth,
        parent=loop.parent,
        line=_line(graph, loop, iterates),
        iterates=iterates,
        indexes=frozenset(_indexes(graph, loop.blocks)),
        every_round=frozenset(_indexes(graph, always)),
        inner=frozenset(_indexes(graph, frozenset().union(*children))),
    )


def _iterates(graph: Graph, loop: Loop) -> int | None:
    """The last FOR_ITER in the block at the head of a loop; None for a `while`."""
    opcodes, rows = graph.code.instructions.opcodes, graph.table.by_code
    head = graph.blocks[loop.header]
    found = None
    for index in range(head.start, head.stop):
        row = rows[opcodes[index]]
        if row is not None and row.tests == "exhausted":
            found = index
    return found


def _indexes(graph: Graph, blocks: frozenset[int] | list[int]) -> Iterator[int]:
    for number in blocks:
        block = graph.blocks[number]
        yield from range(block.start, block.stop)


def _line(graph: Graph, loop: Loop, iterates: int | None) -> int | None:
    first = graph.blocks[loop.header].start if iterates is None else iterates
    span: Span = graph.code.instructions.positions[first]
    return span.lineno
