"""Dominators and loops against their definitions, on random graphs."""

from __future__ import annotations

import pytest

pytest.importorskip("hypothesis", reason="not inside Pyodide")

from hypothesis import given
from hypothesis import strategies as st

from coscope.flow import Block, Edge, Graph, dominates, find_dominators, find_loops
from tests.flow.building import built

CODE = built("3.13", [("RETURN_CONST", 0)])


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """A graph of up to 12 blocks with random edges."""
    size = draw(st.integers(1, 12))
    targets = st.lists(st.integers(0, size - 1), max_size=3)
    ways = [draw(targets) for _ in range(size)]
    reached = reach(dict(enumerate(ways)), None)
    blocks = tuple(
        Block(
            number,
            number,
            number + 1,
            tuple(Edge("jump", number, target) for target in ways[number]),
            number in reached,
            None,
        )
        for number in range(size)
    )
    return Graph(CODE, blocks, ())


def reach(ways: dict[int, list[int]], without: int | None) -> set[int]:
    """The blocks that the entry reaches without going through one of them."""
    reached: set[int] = set()
    pending = [0]
    while pending:
        block = pending.pop()
        if block not in reached and block != without:
            reached.add(block)
            pending += ways[block]
    return reached


@given(graphs())
def test_a_block_is_dominated_by_what_cuts_it_off(graph: Graph) -> None:
    ways = {block.index: [edge.target for edge in block.edges] for block in graph.blocks}
    reached = reach(ways, None)
    above = find_dominators(graph)
    for upper in reached:
        cut_off = reached - reach(ways, upper)

        assert cut_off == {lower for lower in reached if dominates(above, upper, lower)}


@given(graphs())
def test_unreachable_blocks_and_the_entry_have_no_dominator(graph: Graph) -> None:
    above = find_dominators(graph)

    assert {block.index for block in graph.blocks if not block.reachable} | {0} == {
        number for number, dominator in enumerate(above) if dominator is None
    }


@given(graphs())
def test_a_natural_loop_is_dominated_by_its_header(graph: Graph) -> None:
    above = find_dominators(graph)
    for loop in find_loops(graph):
        natural = all(dominates(above, loop.header, block) for block in loop.blocks)

        assert natural != loop.irreducible
        assert loop.header in loop.blocks
        assert all(edge.source in loop.blocks for edge in loop.back_edges)
