"""Runs of whole items in bytes, by a repetition that every release of `re` gets right."""

from __future__ import annotations

import re
from collections.abc import Callable

_ITEMS = 64  # at once; a repetition without a bound keeps a record of each item


def end_of_run(item: bytes) -> Callable[[bytes], int]:
    """A function that gives where the run of items from the start of some bytes ends.

    Args:
        item: Pattern of one item, of at least one byte. No item may begin another.

    A possessive quantifier, `(?:item)*+`, would do the same in one step, but up to CPython 3.11.4
    it steps into an item that matches only in part (CPython gh-106052).

    >>> end_of_run(b"a.|b..")(b"a1b22b3")
    5
    """
    match = re.compile(rb"(?:%b){1,%d}" % (item, _ITEMS), re.DOTALL).match

    def end(data: bytes) -> int:
        at = 0
        size = len(data)
        while at < size and (found := match(data, at)):
            at = found.end()
        return at

    return end
