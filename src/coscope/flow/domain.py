"""What the abstract machine asks of a domain: the meaning of the values that it moves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, TypeVar

from coscope.errors import StackError
from coscope.flow.effects import Effect
from coscope.flow.frames import Stack
from coscope.flow.graph import Edge, Graph
from coscope.model import Region

V = TypeVar("V")


class Domain(Protocol[V]):
    """What the machine asks of a domain: the meaning of values.

    Values are opaque to the machine: it moves them, and compares them with `==` to see whether a
    block has to be visited again. Locals are opaque too: one object for all of them, never
    changed in place; a domain without locals uses None.
    """

    renewed: frozenset[str]
    """Moved slots for which `values` is asked all the same: a list that LIST_APPEND grows."""

    watches_moves: bool
    """`values` is called also for an instruction that pushes nothing new."""

    narrows: bool
    """`narrow` is called where a value was compared with None."""

    def enter(self, graph: Graph, depth: int) -> tuple[Sequence[V], Any]:
        """The stack (`depth` values) and the locals when the first instruction runs."""

    def shortcut(self, effect: Effect) -> tuple[Sequence[V], int] | None:
        """What the instruction gives if no operand has one of some bits, where that is so simple.

        For domains whose values are ints: the new slots, deepest first, and the bits. The machine
        then does not ask, and leaves the locals alone. The answer is kept as that of
        `uses_locals`.
        """

    def uses_locals(self, effect: Effect) -> bool:
        """True if `values_and_locals` shall be called for the instruction, not `values`.

        The answer is kept for all runs with domains of the same class.
        """

    def values(self, index: int, effect: Effect, operands: Sequence[V]) -> Sequence[V]:
        """The new slots of `effect`, deepest first.

        Called on each visit, and once more for the path of a jump that leaves something else.

        Args:
            index: Of the instruction.
            effect: Its effect on this path.
            operands: The popped values, deepest first.
        """

    def values_and_locals(
        self, index: int, effect: Effect, operands: Sequence[V], slots: Any
    ) -> tuple[Sequence[V], Any]:
        """The same for an instruction that uses locals, and the locals after it."""

    def narrow(self, index: int, stack: Stack, none: bool) -> Stack | None:
        """The stack after a test against None, on the path on which the value was None, or not.

        None if that path cannot be taken.
        """

    def caught(self, graph: Graph, region: Region) -> Sequence[V]:
        """What the interpreter pushes before a region's handler runs."""

    def join(self, block: int, edges: Sequence[Edge | None], values: Sequence[V]) -> V:
        """One value for what arrives in a slot over several edges; None is the entry."""

    def join_locals(self, block: int, left: Any, right: Any) -> Any:
        """The locals at a block that is reached with either."""

    def widen(self, block: int, old: V, new: V) -> V:
        """The same as `join`, after some visits: a chain of results must soon come to rest."""

    def fault(self, error: StackError) -> None:
        """Called where the stack is wrong: raise, or note it and so give up this path."""


class Plain:
    """Answers of a domain with nothing special to it."""

    renewed: frozenset[str] = frozenset()
    watches_moves = False
    narrows = False

    def narrow(self, index: int, stack: Stack, none: bool) -> Stack | None:
        return stack

    def shortcut(self, effect: Effect) -> tuple[Sequence[Any], int] | None:
        return None
