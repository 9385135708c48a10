"""The locals of a live frame, as far as this CPython can read them without a crash."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from types import CodeType, FrameType

from coscope.opcodes import table
from coscope.readers.from_function import HOST_RELEASE, HOST_VERSION

# Why they are not read, as a clause.
UNREAD = f"CPython {HOST_RELEASE} may crash when they are read (gh-128396)"

_PROXY: type = type((lambda: sys._getframe().f_locals)())  # dict before 3.13


def frame_locals(frame: FrameType) -> Mapping[str, object]:
    """The locals of a frame by name; nothing where reading them may crash, or would run code.

    A namespace of the user's own, as a metaclass may prepare for a class body, is not asked.
    """
    if crashes_when_read(frame.f_code):
        return {}
    namespace: Mapping[str, object] = frame.f_locals
    return namespace if type(namespace) in (dict, _PROXY) else {}


def crashes_when_read(co: CodeType) -> bool:
    """True if reading `f_locals` of a frame of this code may crash this CPython.

    CPython 3.13.0 to 3.13.2 take the variable of an inlined comprehension for a cell if the
    function around it has a cell or free variable of that name.

    Source:
        https://github.com/python/cpython/issues/128396, mended by pull request 130235.
    """
    rules = table(HOST_VERSION)
    if not rules.behaves("frame_locals_crash", HOST_RELEASE):
        return False
    return hides_a_cell(co)


def hides_a_cell(co: CodeType) -> bool:
    """True if an inlined comprehension puts its own variable where the function has a cell."""
    rules = table(HOST_VERSION)
    row = rules.opcodes.get("LOAD_FAST_AND_CLEAR")
    cells = frozenset((*co.co_cellvars, *co.co_freevars))
    if row is None or not cells:
        return False
    others = [name for name in co.co_cellvars if name not in co.co_varnames]
    slots = [*co.co_varnames, *others, *co.co_freevars]
    code = co.co_code
    at = oparg = 0
    while at < len(code):
        opcode = code[at]
        oparg = oparg << 8 | code[at + 1]
        if opcode == row.code and slots[oparg] in cells:
            return True
        if opcode != rules.extended_arg:
            oparg = 0
        at += 2 * rules.steps[opcode]
    return False
