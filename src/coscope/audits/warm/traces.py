"""Which loops of a live code object the JIT compiled, where the interpreter says so (3.14+).

A trace begins at an instruction, mostly the jump that ends a loop, whose place in the adaptive code
an ENTER_EXECUTOR then takes. What a trace executes no longer counts in the inline caches.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from types import CodeType
from typing import Protocol

from coscope.opcodes import table
from coscope.readers.from_function import HOST_VERSION


class _Trace(Protocol):
    """What `_opcode.get_executor` returns."""

    def is_valid(self) -> bool: ...

    def get_jit_code(self) -> bytes | None: ...


def jit_is_on() -> bool | None:
    """True if this interpreter compiles traces; None if it has no JIT, or does not say."""
    jit = getattr(sys, "_jit", None)
    if jit is None or not jit.is_available():
        return None
    return bool(jit.is_enabled())


def traces_of(co: CodeType) -> dict[int, int]:
    """The compiled traces that begin in a code object: offset in co_code -> bytes of machine code.

    A trace that has become invalid is left out. Runs nothing.
    """
    enter = table(HOST_VERSION).opcodes.get("ENTER_EXECUTOR")
    find = _finder()
    if find is None or enter is None or not jit_is_on():
        return {}
    found = {}
    units = co._co_code_adaptive[::2]  # type: ignore[attr-defined]
    for unit, opcode in enumerate(units):
        if opcode != enter.code:  # it may be a unit of a cache, too, at which no trace begins
            continue
        offset = 2 * unit
        try:
            trace = find(co, offset)
        except (ValueError, RuntimeError):  # there is none; this build has none at all
            continue
        made = trace.get_jit_code() if trace.is_valid() else None
        if made:
            found[offset] = len(made)
    return found


def compiled_around(
    jumps: Mapping[int, int], traces: Mapping[int, int], offset: int
) -> bool | None:
    """True if the trace of the innermost loop around an instruction was compiled.

    Args:
        jumps: Of jumps back: offset -> target, the first instruction of the loop.
        traces: Of `traces_of`.
        offset: Of the instruction.

    Returns:
        None if it is in no loop.
    """
    around = [(end - start, start) for end, start in jumps.items() if start <= offset <= end]
    if not around:
        return None
    _, innermost = min(around)
    return any(end in traces for end, start in jumps.items() if start == innermost)


def _finder() -> Callable[[CodeType, int], _Trace] | None:
    try:
        module = import_module("_opcode")
    except ImportError:
        return None
    return getattr(module, "get_executor", None)
