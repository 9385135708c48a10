"""Dominators: through which blocks every path to a block leads."""

from __future__ import annotations

from functools import partial, reduce

from coscope.flow.graph import Graph


def find_dominators(graph: Graph) -> tuple[int | None, ...]:
    """The immediate dominator of each block.

    Exception edges count like all others.

    Returns:
        By block index; None for the entry and for blocks that nothing reaches.

    Source:
        Cooper, Harvey, Kennedy: A Simple, Fast Dominance Algorithm (2001).
    """
    order = graph.order
    rank = {block: number for number, block in enumerate(order)}
    above: list[int | None] = [None] * len(order)  # by rank
    above[0] = 0
    changed = True
    while changed:
        changed = False
        for number in range(1, len(order)):
            sources = (rank.get(edge.source) for edge in graph.arrivals[order[number]])
            known = [each for each in sources if each is not None and above[each] is not None]
            found = reduce(partial(_meet, above), known) if known else None
            if found != above[number]:
                above[number] = found
                changed = True
    result: list[int | None] = [None] * len(graph.blocks)
    for number in range(1, len(order)):
        dominator = above[number]
        result[order[number]] = None if dominator is None else order[dominator]
    return tuple(result)


def _meet(above: list[int | None], left: int, right: int) -> int:
    """The nearest block above both, by rank."""
    while left != right:
        if left < right:
            left, right = right, left
        dominator = above[left]
        assert dominator is not None
        left = dominator
    return left


def dominates(above: tuple[int | None, ...], upper: int, lower: int) -> bool:
    """True if every path to `lower` leads through `upper`.

    Args:
        above: As `dominators` gives it.
        upper: Index of a block.
        lower: Index of a reachable block.
    """
    block: int | None = lower
    while block is not None and block != upper:
        block = above[block]
    return block == upper
