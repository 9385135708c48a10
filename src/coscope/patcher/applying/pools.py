"""The constants and names of a code object while edits add to them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from coscope.errors import Refused, hidden_for
from coscope.facts.fingerprints.literals import constant_key
from coscope.model import Code, Collection, Constant, FrozenSet, Opaque, Slice
from coscope.opcodes import table
from coscope.readers.docstrings import docstring_of

__tracebackhide__ = hidden_for

_ATOMS = frozenset({type(None), bool, int, float, complex, str, bytes, type(...), Opaque, Code})
_DEEPEST = 100  # tuples inside one another


def key(value: Constant) -> str:
    """A text that two constants share if, and only if, they are the same by value and type.

    Two code objects, or two live objects, share it only if they are one object.
    """
    return f"{constant_key(_marked(value), _nested)}"


def _nested(code: Code) -> str:
    return f"code {id(code)}"


def _marked(value: Constant) -> Constant:
    if type(value) is Opaque:
        return (Ellipsis, "opaque", value.identity)
    return value


def modelled(value: Any, depth: int = 0) -> Constant:
    """A Python value as a constant of the model.

    Raises:
        Refused: No code object can hold it as a constant of its own, a list for example.
    """
    kind = type(value)
    if kind in _ATOMS or value is StopIteration:
        return value
    if depth < _DEEPEST:
        if kind is tuple:
            return _all_modelled(value, depth + 1)
        if kind is frozenset:
            # Sorted, for the same bytes at every run.
            return FrozenSet(tuple(sorted(_all_modelled(value, depth + 1), key=key)))
        if kind is FrozenSet:
            return FrozenSet(_all_modelled(value.items, depth + 1))
        if kind in (slice, Slice):
            return Slice(*_all_modelled((value.start, value.stop, value.step), depth + 1))
    shown = "a container in a file" if kind is Collection else kind.__name__
    raise Refused(
        "this value is not a constant",
        expected="None, bool, int, float, complex, str, bytes, ..., or a tuple, frozenset or slice",
        found=shown,
        hint="Put a global or a default in its place, or give the object itself to a live patch.",
    )


class Constants:
    """`co_consts` as a list that only grows; an entry can be exchanged."""

    def __init__(self, code: Code) -> None:
        self.items = list(code.consts)
        self.docstring = docstring_of(code)
        numbers = table(code.version).numbers
        # Without the flag, a string at index 0 of a function is its docstring.
        self._first_is_docstring = "docstring_flag" not in numbers and bool(code.flags & 0x2)
        self._index: dict[str, int] | None = None

    def takes(self, index: int, value: Constant) -> bool:
        """True if this entry may become this value without being, or becoming, the docstring."""
        if index == self.docstring:
            return False
        return not (index == 0 and self._first_is_docstring and type(value) is str)

    def put(self, index: int, value: Constant) -> None:
        """Exchange an entry."""
        self.items[index] = value
        self._index = None

    def add(self, value: Constant) -> int:
        """Index of the constant; it is appended if it is not there."""
        if self._index is None:
            self._index = {}
            for index, item in enumerate(self.items):
                if type(item) is not Code:
                    self._index.setdefault(key(item), index)
        if not self.items and not self.takes(0, value):
            self._index[key(None)] = 0
            self.items.append(None)
        found = self._index.setdefault(key(value), len(self.items))
        if found == len(self.items):
            self.items.append(value)
        return found


class Names:
    """`co_names` as a list that only grows."""

    def __init__(self, code: Code) -> None:
        self.items = list(code.names)

    def add(self, name: str) -> int:
        """Index of the name; it is appended if it is not there."""
        if name not in self.items:
            self.items.append(name)
        return self.items.index(name)


def _all_modelled(items: Iterable[object], depth: int) -> tuple[Constant, ...]:
    return tuple(modelled(item, depth) for item in items)
