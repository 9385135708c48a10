"""Loops: back edges, natural loops and how they nest."""

from __future__ import annotations

from dataclasses import dataclass

from coscope.errors import CodeError
from coscope.flow.dominators import find_dominators
from coscope.flow.graph import Edge, Graph

_NESTING = 64  # loops around a block, on average
_SLACK = 100_000  # blocks of loops in any case


@dataclass(frozen=True, slots=True)
class Loop:
    """One loop."""

    header: int  # index of the block through which it is entered
    blocks: frozenset[int]  # indexes, the header included, those of inner loops too
    back_edges: tuple[Edge, ...]  # from inside to the header
    parent: int | None  # index in the result of `loops` of the loop around it
    depth: int  # 1 for an outermost loop
    irreducible: bool  # it can be entered elsewhere than at its header; no compiler writes that


def find_loops(graph: Graph) -> tuple[Loop, ...]:
    """The loops, outer ones before inner ones, then in code order.

    Back edges are those that lead back in depth-first order. Where the header dominates their
    sources, the loop is a natural one; else it is marked irreducible.

    Raises:
        CodeError: The loops nest more than 64 deep on average: their bodies would take quadratic
            time. A compiler allows 20 nested blocks.

    Source:
        Aho, Lam, Sethi, Ullman: Compilers, second edition, 9.6.
    """
    backs = _back_edges(graph)
    spans = _intervals(find_dominators(graph))
    found = []
    budget = _NESTING * len(graph.blocks) + _SLACK
    for header in sorted(backs):
        blocks = _body(graph, header, backs[header])
        budget -= len(blocks)
        if budget < 0:
            raise CodeError(
                "loops are nested out of all proportion",
                code=graph.code.qualname,
                offset=graph.code.instructions.offsets[graph.blocks[header].start],
                expected=f"at most {_NESTING} deep",
            )
        upper = spans[header]
        irreducible = any(
            not (upper[0] <= spans[block][0] and spans[block][1] <= upper[1]) for block in blocks
        )
        found.append((header, frozenset(blocks), tuple(backs[header]), irreducible))
    found.sort(key=lambda loop: (-len(loop[1]), loop[0]))
    return _nest(found)


def _back_edges(graph: Graph) -> dict[int, list[Edge]]:
    """Edges to a block whose own visit is not finished, by target."""
    backs: dict[int, list[Edge]] = {}
    state = bytearray(len(graph.blocks))  # 1: on the path, 2: finished
    state[0] = 1
    pending = [(0, iter(graph.blocks[0].edges))]
    while pending:
        number, edges = pending[-1]
        for edge in edges:
            if state[edge.target] == 1:
                backs.setdefault(edge.target, []).append(edge)
            elif state[edge.target] == 0:
                state[edge.target] = 1
                pending.append((edge.target, iter(graph.blocks[edge.target].edges)))
                break
        else:
            state[number] = 2
            pending.pop()
    return backs


def _body(graph: Graph, header: int, backs: list[Edge]) -> set[int]:
    """The blocks from which a back edge can be reached without the header."""
    blocks = {header}
    pending = [edge.source for edge in backs]
    while pending:
        number = pending.pop()
        if number not in blocks and graph.blocks[number].reachable:
            blocks.add(number)
            pending.extend(edge.source for edge in graph.arrivals[number])
    return blocks


def _intervals(above: tuple[int | None, ...]) -> list[tuple[int, int]]:
    """Entry and exit times in the dominator tree: above another is what encloses it."""
    children: dict[int, list[int]] = {}
    for block, dominator in enumerate(above):
        if dominator is not None:
            children.setdefault(dominator, []).append(block)
    spans = [(-1, -1)] * len(above)
    entered = {0: 0}
    time = 1
    pending = [(0, iter(children.get(0, ())))]
    while pending:
        number, below = pending[-1]
        child = next(below, None)
        if child is None:
            spans[number] = entered[number], time
            pending.pop()
        else:
            entered[child] = time
            pending.append((child, iter(children.get(child, ()))))
        time += 1
    return spans


def _nest(
    found: list[tuple[int, frozenset[int], tuple[Edge, ...], bool]],
) -> tuple[Loop, ...]:
    """Find each loop's parent: the smallest of the larger ones that holds its header."""
    made: list[Loop] = []
    innermost: dict[int, int] = {}  # block -> index of the smallest loop so far that holds it
    for header, blocks, backs, irreducible in found:
        parent = innermost.get(header)
        depth = 1 if parent is None else made[parent].depth + 1
        innermost.update(dict.fromkeys(blocks, len(made)))
        made.append(Loop(header, blocks, backs, parent, depth, irreducible))
    return tuple(made)
