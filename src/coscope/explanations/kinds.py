"""Exact types, compared by identity."""

from __future__ import annotations


def is_exactly(thing: object, *kinds: type) -> bool:
    """True if the object's type is one of these; `in` would run the `__eq__` of a metaclass.

    >>> is_exactly(True, int, str), is_exactly("a", int, str)
    (False, True)
    """
    return any(type(thing) is kind for kind in kinds)
