"""Constants: which equal which, and constants inside others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from coscope.errors import hidden_for
from coscope.model import Constant, FrozenSet, Slice
from coscope.patcher.applying.pools import key, modelled
from coscope.patcher.edits.model import ReplaceConstant

__tracebackhide__ = hidden_for

_NUMBERS = frozenset({bool, int, float, complex})


@dataclass(frozen=True, slots=True)
class Exchange:
    """One constant in the place of another, as an edit asks for it."""

    old: Constant
    new: Constant
    loose: bool = False  # whatever is equal
    made: bool = False  # what the compiler made for itself, too

    @classmethod
    def of(cls, edit: ReplaceConstant) -> Exchange:
        """The constants of an edit, as the model holds them."""
        return cls(modelled(edit.old), modelled(edit.new), edit.loose, edit.compiler_made)

    def matches(self, value: Constant) -> bool:
        """True for the constant that is looked for."""
        old = self.old
        if self.loose and type(value) in _NUMBERS and type(old) in _NUMBERS:
            return bool(value == old)
        if type(value) is not type(old):
            return False
        if type(value) in (int, str, bytes, bool):
            return bool(value == old)
        return value is old or key(value) == key(old)

    def count_in(self, value: Constant) -> int:
        """How often a container holds it, at any depth."""
        return sum(1 if self.matches(part) else self.count_in(part) for part in self._parts(value))

    def is_held_by(self, value: Constant) -> bool:
        """True if it is somewhere inside a container."""
        pending = [value]
        seen: set[int] = set()
        while pending:
            container = pending.pop()
            for part in self._parts(container):
                if self.matches(part):
                    return True
                if id(part) not in seen:
                    seen.add(id(part))
                    pending.append(part)
        return False

    def _parts(self, value: Constant) -> Iterator[Constant]:
        """The parts of a container; bounds that a slice leaves out are the compiler's None."""
        bare = isinstance(value, Slice) and not self.made
        return (part for part in parts_of(value) if part is not None or not bare)


def parts_of(value: Constant) -> tuple[Constant, ...]:
    """What a container holds; nothing of any other constant."""
    if type(value) is tuple:
        return value
    if isinstance(value, FrozenSet):
        return value.items
    if isinstance(value, Slice):
        return (value.start, value.stop, value.step)
    return ()


def substituted(value: Constant, exchanges: Sequence[Exchange]) -> Constant:
    """A container with the new constants in the places of the old ones, all at once."""
    for exchange in exchanges:
        if exchange.matches(value):
            return exchange.new
    if not any(exchange.is_held_by(value) for exchange in exchanges):
        return value
    kept = isinstance(value, Slice) and not any(exchange.made for exchange in exchanges)
    parts = tuple(
        part if part is None and kept else substituted(part, exchanges) for part in parts_of(value)
    )
    if isinstance(value, FrozenSet):
        distinct = {key(part): part for part in parts}
        return FrozenSet(tuple(distinct.values()))
    return Slice(*parts) if isinstance(value, Slice) else parts


def is_equal(one: Constant, other: Constant) -> bool:
    """True for numbers that are equal, whatever their types."""
    return type(one) in _NUMBERS and type(other) in _NUMBERS and one == other
