"""The direct way of `patch`: a few numbers or strings exchanged in a plain function.

The lemma that it rests on is in `docs/internals/patcher.md`, "What a change of constants inherits".
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from functools import partial
from types import CodeType, FunctionType
from typing import Any

from coscope.errors import hidden_for
from coscope.patcher.applying.plain import PLAIN, exchanged
from coscope.patcher.rebuild import inherited
from coscope.patcher.receipts import Receipt, give
from coscope.patcher.snapshots import Snapshot, snapshot
from coscope.readers.from_function import HOST_VERSION

__tracebackhide__ = hidden_for

Full = Callable[[FunctionType, FunctionType, dict[Any, Any]], Receipt]


def exchange(function: FunctionType, constants: object, full: Full) -> FunctionType | None:
    """A copy of a function with other constants; None if the direct way does not lead there.

    Args:
        function: Live.
        constants: What `patch` was given for them.
        full: Makes the whole receipt of the original, the copy and the constants, once it is read.
    """
    if type(constants) is not dict or not constants:
        return None
    pairs = tuple(dict.items(constants))
    for old, new in pairs:
        if type(old) is not type(new) or type(old) not in PLAIN:
            return None
    made = exchanged(function.__code__, pairs, HOST_VERSION)
    if made is None:
        return None
    new = inherited(function, *made)
    if new is None:
        return None
    before = snapshot(function)
    later = partial(_receipt, weakref.ref(function), before, new.__code__, dict(constants), full)
    give(new, Receipt.read_later(later))
    return new


def _receipt(
    original: weakref.ref[FunctionType],
    before: Snapshot,
    co: CodeType,
    constants: dict[Any, Any],
    full: Full,
) -> Receipt:
    function = original()
    if function is None or function.__code__ is not before.co:
        function = before.function()
    after = before.function(co)
    return full(function, after, constants)
