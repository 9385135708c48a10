"""The stack of the abstract machine, and the frames that show it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Generic, TypeVar, overload

V = TypeVar("V")

# A linked list, so that a step costs what it pops and pushes, however deep the stack is:
# (what is below, value, depth counting this slot).
Stack = tuple[Any, Any, int]
EMPTY: Stack = (None, None, 0)


def ascend(stack: Stack, depth: int) -> Stack:
    """The part of a stack that has this depth."""
    while stack[2] > depth:
        stack = stack[0]
    return stack


def linked(stack: Stack, values: Sequence[Any]) -> Stack:
    """Push values, deepest first."""
    for value in values:
        stack = (stack, value, stack[2] + 1)
    return stack


def unlinked(stack: Stack, count: int) -> list[Any]:
    """The `count` uppermost values, deepest first."""
    values = []
    for _ in range(count):
        values.append(stack[1])
        stack = stack[0]
    values.reverse()
    return values


def popped_off(stack: Stack, count: int) -> tuple[list[Any], Stack]:
    """Take values off a stack; they come deepest first."""
    operands = unlinked(stack, count)
    return operands, ascend(stack, stack[2] - count)


def dropped(stack: Stack, count: int) -> tuple[Stack, int]:
    """The stack without `count` values, and the bits that are in any of these."""
    if count == 1:
        return stack[0], stack[1]
    bits = 0
    for _ in range(count):
        bits |= stack[1]
        stack = stack[0]
    return stack, bits


class Frame(Sequence[V]):
    """The state before one instruction; as a sequence, the stack, deepest value first."""

    __slots__ = ("_stack", "locals")

    def __init__(self, stack: Stack, slots: Any) -> None:
        self._stack = stack
        self.locals = slots  # as the domain made them

    @property
    def stack(self) -> tuple[V, ...]:
        """Deepest first."""
        return tuple(unlinked(self._stack, self._stack[2]))

    def top(self, count: int) -> tuple[V, ...]:
        """The `count` uppermost values or as many as there are, deepest first."""
        return tuple(unlinked(self._stack, min(count, self._stack[2])))

    def __len__(self) -> int:
        return self._stack[2]

    @overload
    def __getitem__(self, index: int, /) -> V: ...
    @overload
    def __getitem__(self, index: slice, /) -> tuple[V, ...]: ...
    def __getitem__(self, index: int | slice, /) -> V | tuple[V, ...]:
        return self.stack[index]

    def __iter__(self) -> Iterator[V]:
        return iter(self.stack)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Frame):
            return self.stack == other.stack and bool(self.locals == other.locals)
        return self.stack == other if isinstance(other, tuple) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.stack)

    def __repr__(self) -> str:
        return f"<Frame {list(self.stack)!r}>"


class Frames(Sequence["Frame[V] | None"], Generic[V]):
    """The frames of one code object, by instruction index; None where nothing leads."""

    __slots__ = ("_locals", "_peak", "_stacks")

    def __init__(self, stacks: list[Stack | None], slots: list[Any], peak: int) -> None:
        self._stacks = stacks
        self._locals = slots
        self._peak = peak

    def __len__(self) -> int:
        return len(self._stacks)

    @overload
    def __getitem__(self, index: int, /) -> Frame[V] | None: ...
    @overload
    def __getitem__(self, index: slice, /) -> list[Frame[V] | None]: ...
    def __getitem__(self, index: int | slice, /) -> Frame[V] | list[Frame[V] | None] | None:
        if isinstance(index, slice):
            return [self[at] for at in range(*index.indices(len(self)))]
        stack = self._stacks[index]
        return None if stack is None else Frame(stack, self._locals[index])

    def stack(self, index: int) -> Stack | None:
        """The linked stack before an instruction, which states share; None where nothing leads."""
        return self._stacks[index]

    def locals(self, index: int) -> Any:
        """The domain's locals before an instruction."""
        return self._locals[index]

    @property
    def depths(self) -> list[int | None]:
        """Depth before each instruction."""
        return [None if stack is None else stack[2] for stack in self._stacks]

    @property
    def peak(self) -> int:
        """The most slots that are filled anywhere, behind the last instructions too."""
        filled = [stack[2] for stack in self._stacks if stack is not None]
        return max(self._peak, max(filled, default=0))
