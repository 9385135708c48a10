"""Constants as text, bounded: what `repr` would show, where `repr` cannot be trusted.

Constants come out of untrusted files: integers too long for `str`, tuples that share one another
until their text is exponential, and whole code objects.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from coscope.model import Code, Constant, FrozenSet, Opaque, Slice

LIMIT = 100_000  # characters, after which the text ends in "..."
DEPTH = 50  # nested containers, below which "..." is written

_PLAIN = frozenset({type(None), bool, float, complex, str, bytes, type(...)})
_DIGITS = 14_000  # bits of an int that `str` writes under the default limit of 4,300 digits


def constant_text(value: Constant) -> str:
    """Write a constant as Python would, where Python can.

    >>> constant_text((1, "a", FrozenSet((2,))))
    "(1, 'a', frozenset({2}))"
    """
    kind = type(value)
    if kind in _PLAIN:
        return repr(value)
    pieces: list[str] = []
    size = 0
    for piece in _Writer().pieces(value, DEPTH):
        pieces.append(piece[:LIMIT])
        size += len(piece)
        if size > LIMIT:
            pieces.append("...")
            break
    return "".join(pieces)


class _Writer:
    """Writes one constant, piece by piece, until a bound of work is reached."""

    def __init__(self) -> None:
        self.left = LIMIT  # pieces that may be made; a .pyc can hold one object a million times

    def pieces(self, value: Constant, depth: int) -> Iterator[str]:
        """The text of a value, in pieces."""
        kind = type(value)
        self.left -= 1
        if kind in _PLAIN:
            yield repr(value)
        elif kind is int:
            yield repr(value) if value.bit_length() < _DIGITS else hex(value)
        elif depth == 0 or self.left < 0:
            yield "..."
        elif kind is tuple:
            yield "("
            yield from self.items(value, depth - 1)
            yield ",)" if len(value) == 1 else ")"
        elif kind is FrozenSet:
            yield "frozenset({" if value.items else "frozenset("
            yield ", ".join(self.ordered(value.items, depth - 1))
            yield "})" if value.items else ")"
        elif kind is Slice:
            yield "slice("
            yield from self.items((value.start, value.stop, value.step), depth - 1)
            yield ")"
        else:
            yield _named(value)

    def items(self, values: Iterable[Constant], depth: int) -> Iterator[str]:
        """The texts of some values with commas between them."""
        comma = ""
        for value in values:
            yield comma
            yield from self.pieces(value, depth)
            comma = ", "

    def ordered(self, values: Iterable[Constant], depth: int) -> list[str]:
        """The texts of a set's items in an order of ours: its own one follows the hash seed."""
        texts = []
        for value in values:
            if self.left < 0:
                texts.append("...")
                break
            texts.append("".join(self.pieces(value, depth)))
        return sorted(texts)


def _named(value: Constant) -> str:
    kind = type(value)
    if kind is Code:
        return f"<code object {value.name}, file {value.filename!r}, line {value.firstlineno}>"
    if kind is Opaque:
        return f"<{value.type_name} object at 0x{value.identity:x}>"
    return "<class 'StopIteration'>" if value is StopIteration else f"<{kind.__name__}>"
