"""Constants as text, bounded: what `repr` would show, where `repr` cannot be trusted.

Constants come out of untrusted files: integers too long for `str`, tuples that share one another
until their text is exponential, and whole code objects.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from coscope.model import Code, Constant, FrozenSet, Opaque, Slice

LIMIT = 100_000  # characters, after which the text ends in "..."
DEPTH = 50  # nested containers, below which "..." stands

_PLAIN = frozenset({type(None), bool, float, complex, str, bytes, type(...)})
_SORTED = 1_000  # items of a frozenset that are put in order
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
    for piece in _pieces(value, DEPTH):
        pieces.append(piece)
        size += len(piece)
        if size > LIMIT:
            pieces.append("...")
            break
    return "".join(pieces)


def _pieces(value: Constant, depth: int) -> Iterator[str]:
    kind = type(value)
    if kind in _PLAIN:
        yield repr(value)
    elif kind is int:
        yield repr(value) if value.bit_length() < _DIGITS else hex(value)
    elif depth == 0:
        yield "..."
    elif kind is tuple:
        yield "("
        yield from _items(value, depth - 1)
        yield ",)" if len(value) == 1 else ")"
    elif kind is FrozenSet:
        yield "frozenset({" if value.items else "frozenset("
        yield from _in_order(value.items, depth - 1)
        yield "})" if value.items else ")"
    elif kind is Slice:
        yield "slice("
        yield from _items((value.start, value.stop, value.step), depth - 1)
        yield ")"
    elif kind is Code:
        yield f"<code object {value.name}, file {value.filename!r}, line {value.firstlineno}>"
    elif kind is Opaque:
        yield f"<{value.type_name} object at 0x{value.identity:x}>"
    elif value is StopIteration:
        yield "<class 'StopIteration'>"
    else:
        yield f"<{kind.__name__}>"


def _in_order(values: tuple[Constant, ...], depth: int) -> Iterator[str]:
    """The items of a frozenset, by their texts: its own order depends on the hash seed."""
    if len(values) > _SORTED:
        yield from _items(values, depth)
        return
    yield ", ".join(sorted("".join(islice(_pieces(value, depth), LIMIT)) for value in values))


def _items(values: tuple[Constant, ...], depth: int) -> Iterator[str]:
    comma = ""
    for value in values:
        yield comma
        yield from _pieces(value, depth)
        comma = ", "
