"""The kind domain for functions with very many locals, where a store must not copy all of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from coscope.flow.domains.kind import Kinds
from coscope.flow.domains.kind_plans import Plan
from coscope.flow.effects import Effect
from coscope.flow.graph import Graph
from coscope.opcodes import kinds

Node = Any  # an int of packed kinds, or a tuple of nodes

FEW = 256  # locals, up to which one int is fastest
_BITS = 5  # of a slot's number, for each level of the tree
_WIDTH = 1 << _BITS


def kinds_for(graph: Graph) -> Kinds:
    """The domain that suits the number of locals; what it finds is the same."""
    return (Kinds if len(graph.code.localsplusnames) <= FEW else ManyKinds)(graph)


class ManyKinds(Kinds):
    """The locals are a tree of tuples; a leaf is an int, as `Kinds` has for all locals.

    States share what they do not differ in, so that time and memory for a store and for a join grow
    with what changed.
    """

    def __init__(self, graph: Graph) -> None:
        super().__init__(graph)
        self.levels = 0  # of tuples above the leaves
        while self.size > _WIDTH << _BITS * self.levels:
            self.levels += 1

    def enter(self, graph: Graph, depth: int) -> tuple[Sequence[int], Node]:
        stack, slots = super().enter(graph, depth)
        step = _WIDTH * kinds.LOCAL_BITS
        count = -(-self.size // _WIDTH)
        nodes: list[Node] = [slots >> step * leaf & (1 << step) - 1 for leaf in range(count)]
        for _ in range(self.levels):
            nodes = [tuple(nodes[at : at + _WIDTH]) for at in range(0, len(nodes), _WIDTH)]
        return stack, nodes[0]

    def plan(self, effect: Effect) -> Plan:
        # The quick ways look into the one int that there is not.
        return super().plan(effect)._replace(reads=None, writes=None)

    def get(self, slots: Node, slot: int) -> int:
        for level in range(self.levels, 0, -1):
            slots = slots[slot >> _BITS * level & _WIDTH - 1]
        return super().get(slots, slot & _WIDTH - 1)

    def put(self, slots: Node, slot: int, kind: int) -> Node:
        return self._put(slots, self.levels, slot, kind)

    def _put(self, node: Node, level: int, slot: int, kind: int) -> Node:
        if not level:
            return super().put(node, slot & _WIDTH - 1, kind)
        at = slot >> _BITS * level & _WIDTH - 1
        inner = self._put(node[at], level - 1, slot, kind)
        return node if inner == node[at] else (*node[:at], inner, *node[at + 1 :])

    def join_locals(self, block: int, left: Node, right: Node) -> Node:
        return _joined(left, right)


def _joined(left: Node, right: Node) -> Node:
    """The union; the left one itself if nothing is added."""
    if left is right:
        return left
    both = left | right if type(left) is int else tuple(map(_joined, left, right))
    return left if both == left else both
