"""Origin domain: the instruction that made each value."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from coscope.errors import StackError
from coscope.flow.domain import Plain
from coscope.flow.domains.depth import values_caught
from coscope.flow.effects import Effect
from coscope.flow.graph import Edge, Graph
from coscope.flow.machine import run
from coscope.model import Region

Origins = frozenset[int]

UNKNOWN: Origins = frozenset([-1])  # the interpreter, or more instructions than are kept apart
_MOST = 8  # instructions that are kept apart


class Origin(Plain):
    """Values are the indexes of the instructions that may have made them, or UNKNOWN.

    `takers` maps each instruction that makes something to what it took: its effect and the
    origins of what it popped, as at the last visit.
    """

    def __init__(self) -> None:
        self.takers: dict[int, tuple[Effect, tuple[Origins, ...]]] = {}

    def enter(self, graph: Graph, depth: int) -> tuple[Sequence[Origins], None]:
        return [UNKNOWN] * depth, None

    def uses_locals(self, effect: Effect) -> bool:
        return False

    def values(self, index: int, effect: Effect, operands: Sequence[Origins]) -> Sequence[Origins]:
        if operands:
            self.takers[index] = effect, tuple(operands)
        return [frozenset([index])] * effect.fresh

    def values_and_locals(
        self, index: int, effect: Effect, operands: Sequence[Origins], slots: Any
    ) -> tuple[Sequence[Origins], Any]:
        return self.values(index, effect, operands), slots

    def caught(self, graph: Graph, region: Region) -> Sequence[Origins]:
        return [UNKNOWN] * values_caught(graph, region)

    def join(self, block: int, edges: Sequence[Edge | None], values: Sequence[Origins]) -> Origins:
        return _joined(values)

    def join_locals(self, block: int, left: Any, right: Any) -> Any:
        return left

    def widen(self, block: int, old: Origins, new: Origins) -> Origins:
        return UNKNOWN

    def fault(self, error: StackError) -> None:
        raise error


def _joined(values: Sequence[Origins]) -> Origins:
    every = frozenset().union(*values)
    return UNKNOWN if len(every) > _MOST or every >= UNKNOWN else every


def takers(graph: Graph) -> dict[int, tuple[Effect, tuple[Origins, ...]]]:
    """For each instruction that makes something of values: its effect, and their origins.

    Raises:
        StackError: As `machine.run`.
    """
    domain = Origin()
    run(graph, domain)
    return domain.takers
