"""Short-circuit structure: the expression whose value arrives at a join over several branches.

`a and b or c` compiles to tests and jumps. Between a join and the block that dominates it, the
tests form a small graph without loops: each either leads on to another test or brings a value to
the join. If the second of two tests is reached only from the first, and both share one way out,
they are one test `a and b` or `a or b`. What is left in the end is `x and y`, `x or y` or
`x if c else y`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from coscope.flow.graph import Edge, Graph
from coscope.flow.texts.text import AND, COMPARED, NOT, OR, TERNARY, Text

_MOST_BLOCKS = 48  # of one expression; larger ones stay alternatives

_AWAY = Text("")  # a way that does not lead to the join

# Where a way leads: a block whose test comes next, or the value that it brings to the join.
_Way = int | Text


@dataclass
class _Test:
    condition: Text
    true: _Way
    false: _Way
    places: tuple[int, int]  # blocks to which the two ways go first

    @property
    def in_order(self) -> bool:
        """True if what is done if it is true comes first in the code."""
        return self.places[0] <= self.places[1]

    def next_tests(self) -> list[int]:
        """The blocks whose test comes next, that of the true way first."""
        return [way for way in (self.true, self.false) if isinstance(way, int)]


def decide(
    graph: Graph,
    join: int,
    top: int,
    values: Mapping[tuple[int, bool], Text],
    conditions: Mapping[int, Text],
) -> Text | None:
    """Write the value at a join as one expression, if the branches prove it.

    Args:
        graph: Of the code.
        join: Index of the block at which the value arrives.
        top: Index of its immediate dominator.
        values: What arrives, by the source of the edge and whether it is a jump.
        conditions: The tested value of each block that ends with a test of truth.

    Returns:
        None if the blocks between do more than decide.
    """
    tests = _tests(graph, join, top, values, conditions)
    if tests is None:
        return None
    _merge(tests, top)
    return _written(tests, top, _MOST_BLOCKS)


def _tests(
    graph: Graph,
    join: int,
    top: int,
    values: Mapping[tuple[int, bool], Text],
    conditions: Mapping[int, Text],
) -> dict[int, _Test] | None:
    """The tests between `top` and `join`, by block."""
    inside = _between(graph, join, top, values)
    if inside is None:
        return None
    tests: dict[int, _Test] = {}
    pending = [top]
    while pending:
        block = pending.pop()
        if block in tests:
            continue
        edges = {edge.kind: edge for edge in graph.blocks[block].edges}
        if block not in conditions or not edges.keys() >= {"true", "false"}:
            return None
        ways: dict[str, _Way] = {}
        for kind in ("true", "false"):
            way = _follow(graph, edges[kind], join, inside, values, conditions)
            if way is None:
                return None
            ways[kind] = way
        places = {kind: edge.target for kind, edge in edges.items()}
        tests[block] = _Test(
            conditions[block], ways["true"], ways["false"], (places["true"], places["false"])
        )
        pending += [way for way in ways.values() if isinstance(way, int)]
    return tests


def _between(
    graph: Graph, join: int, top: int, values: Mapping[tuple[int, bool], Text]
) -> set[int] | None:
    """The blocks on paths from `top` to the values' edges."""
    inside = {top}
    pending = [source for source, _ in values]
    while pending:
        block = pending.pop()
        if block in inside:
            continue
        if block == join or len(inside) > _MOST_BLOCKS:
            return None
        inside.add(block)
        pending += [edge.source for edge in graph.arrivals[block] if edge.kind != "exception"]
    return inside


def _follow(
    graph: Graph,
    edge: Edge,
    join: int,
    inside: set[int],
    values: Mapping[tuple[int, bool], Text],
    conditions: Mapping[int, Text],
) -> _Way | None:
    """Where a way leads, over blocks that test nothing; a loop is left where it ends."""
    for _ in range(_MOST_BLOCKS):
        if edge.target == join:
            return values.get((edge.source, edge.jumps))
        if edge.target not in inside:
            return _AWAY
        if edge.target in conditions:
            return edge.target
        onward = [way for way in graph.blocks[edge.target].edges if way.kind != "exception"]
        if not onward:
            return None
        edge = onward[-1]
    return None


def _merge(tests: dict[int, _Test], top: int) -> None:
    """Merge tests into their predecessors for as long as possible."""
    merged = True
    while merged:
        uses = Counter(way for test in tests.values() for way in test.next_tests())
        single = {way for way, count in uses.items() if count == 1 and way != top}
        merged = any(_merge_one(tests, block, single) for block in sorted(tests, reverse=True))


def _merge_one(tests: dict[int, _Test], block: int, single: set[int]) -> bool:
    """Merge a test that is used only once into the one before it, which is at `block`."""
    test = tests[block]
    for way in test.next_tests():
        if way in single:
            joined = _joined(test, tests[way], way)
            if joined is not None:
                tests[block] = joined
                del tests[way]
                return True
    return False


def _joined(first: _Test, second: _Test, block: int) -> _Test | None:
    """Two tests as one; None if they share no way out.

    `not a or b` and `a and not b` are the same tests with the ways exchanged; the one is taken
    whose true way comes first in the code, as the compiler lays it out.
    """
    word = "and" if first.true == block else "or"
    shared = first.false if word == "and" else first.true
    if _same(first, shared, second, second.false if word == "and" else second.true):
        both = _operation(first.condition, word, second.condition)
        kept = _kept(first, shared, both)
        if word == "and":
            return _Test(both, _kept(second, second.true, both), kept, second.places)
        return _Test(both, kept, _kept(second, second.false, both), second.places)
    if not isinstance(shared, int) or shared != (second.true if word == "and" else second.false):
        return None
    return _joined_inverted(first, second, block, shared)


def _joined_inverted(first: _Test, second: _Test, block: int, shared: int) -> _Test:
    """Two tests as one, where one is inverted: they share a block, by opposite ways."""
    word = "and" if first.true == block else "or"
    if second.in_order == (word == "and"):  # the shared way comes first
        word = "or"
        left, right = first.condition, second.condition
        left, right = (_inverted(left), right) if first.true == block else (left, _inverted(right))
        return _Test(_operation(left, word, right), shared, _other(second, shared), (0, 1))
    left, right = first.condition, second.condition
    left, right = (left, _inverted(right)) if first.true == block else (_inverted(left), right)
    return _Test(_operation(left, "and", right), _other(second, shared), shared, (0, 1))


def _kept(test: _Test, way: _Way, both: Text) -> _Way:
    """The way of a joined test: the value that was tested is then that of the whole."""
    return both if _is_condition(test, way) else way


def _other(test: _Test, block: int) -> _Way:
    return test.false if test.true == block else test.true


def _same(first: _Test, one: _Way, second: _Test, other: _Way) -> bool:
    """True if two ways lead to the same: a block, or each the value that was tested."""
    if isinstance(one, int) or isinstance(other, int):
        return one == other
    if _is_condition(first, one) and _is_condition(second, other):
        return True
    return one is other


def _is_condition(test: _Test, way: _Way) -> bool:
    if not isinstance(way, Text) or way is _AWAY:
        return False
    return way is test.condition or (way == test.condition and not way.cut)


def _written(tests: Mapping[int, _Test], way: _Way, budget: int) -> Text | None:
    """The value at the end of a way as one expression."""
    if isinstance(way, Text):
        return way
    if budget == 0:
        return None
    test = tests[way]
    if test.true is _AWAY or test.false is _AWAY:
        left = test.false if test.true is _AWAY else test.true
        return None if left is _AWAY else _written(tests, left, budget - 1)
    return _written_test(tests, test, budget)


def _written_test(tests: Mapping[int, _Test], test: _Test, budget: int) -> Text | None:
    """A test whose ways both lead to the join: `x or y`, `x and y` or `x if c else y`."""
    true = test.condition if _is_condition(test, test.true) else None
    false = test.condition if _is_condition(test, test.false) else None
    if true is None:
        true = _written(tests, test.true, budget // 2)
    elif false is None:
        right = _written(tests, test.false, budget - 1)
        return None if right is None else _operation(test.condition, "or", right)
    if false is not None:
        return None if true is None else _operation(test.condition, "and", true)
    false = _written(tests, test.false, budget // 2)
    if not true or not false:
        return None
    return _ternary(test, true, false)


def _ternary(test: _Test, true: Text, false: Text) -> Text:
    condition = test.condition
    if not test.in_order:
        true, false, condition = false, true, _inverted(condition)
    parts = f"{true.within(OR)} if {condition.within(OR)} else {false.within(TERNARY)}"
    return Text(parts, TERNARY)


def _operation(left: Text, word: str, right: Text) -> Text:
    rank = AND if word == "and" else OR
    return Text(f"{left.within(rank)} {word} {right.within(rank)}", rank)


def _inverted(condition: Text) -> Text:
    if condition.startswith("not ") and condition.rank == NOT:
        return Text(condition[4:], COMPARED)
    return Text(f"not {condition.within(NOT)}", NOT)


def arrivals(
    edges: Sequence[Edge | None], values: Sequence[Text]
) -> dict[tuple[int, bool], Text] | None:
    """What arrives by source and jump; None if it also comes from the entry or a handler."""
    found = {}
    for edge, value in zip(edges, values, strict=True):
        if edge is None or edge.kind == "exception":
            return None
        found[edge.source, edge.jumps] = value
    return found
