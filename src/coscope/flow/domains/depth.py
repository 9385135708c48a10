"""Depth domain: how many stack slots are filled before each instruction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from coscope.errors import StackError
from coscope.flow.domain import Plain
from coscope.flow.effects import Effect
from coscope.flow.frames import Frames
from coscope.flow.graph import Edge, Graph
from coscope.flow.machine import run
from coscope.flow.regions import HANDLER_VALUES
from coscope.model import Region


class Depth(Plain):
    """Values without meaning: only their number counts. A domain at its smallest."""

    def enter(self, graph: Graph, depth: int) -> tuple[Sequence[None], None]:
        return [None] * depth, None

    def uses_locals(self, effect: Effect) -> bool:
        return False

    def values(self, index: int, effect: Effect, operands: Sequence[None]) -> Sequence[None]:
        return [None] * effect.fresh

    def values_and_locals(
        self, index: int, effect: Effect, operands: Sequence[None], slots: Any
    ) -> tuple[Sequence[None], Any]:
        return self.values(index, effect, operands), slots

    def caught(self, graph: Graph, region: Region) -> Sequence[None]:
        return [None] * values_caught(graph, region)

    def join(self, block: int, edges: Sequence[Edge | None], values: Sequence[None]) -> None:
        return None

    def join_locals(self, block: int, left: Any, right: Any) -> Any:
        return left

    def widen(self, block: int, old: None, new: None) -> None:
        return None

    def fault(self, error: StackError) -> None:
        raise error


def values_caught(graph: Graph, region: Region) -> int:
    """Slots that the interpreter fills before a handler runs."""
    if graph.table.exceptions == "block stack":
        return HANDLER_VALUES
    return 1 + region.keeps_lasti


def depths(graph: Graph) -> list[int | None]:
    """Depth of the stack before each instruction, None where no path leads.

    Raises:
        StackError: As `machine.run`.
    """
    return run(graph, Depth()).depths


def needed(graph: Graph, frames: Frames[Any] | None = None) -> int:
    """Stack slots that the code needs, to compare with `Code.stacksize`.

    Args:
        graph: Of the code.
        frames: Of any domain, if they are at hand.

    Raises:
        StackError: As `machine.run`.
    """
    return (run(graph, Depth()) if frames is None else frames).peak
