"""The frame of the code object is larger than the interpreter can count.

A frame has a slot for each fast local, `co_stacksize` more, and its own fields. Where it does not
fit into the thread's current chunk of memory, a new chunk is made: 16 KB, doubled in a C int until
the frame and a reserve of 1,000 slots fit (`push_chunk` in Python/pystate.c). Beyond 1 GB the
doubling overflows and never ends; where the sum overflows as well, the chunk is smaller than the
frame that is written into it.

    co_stacksize = 134217000        the frame fits, with the reserve it does not
"""

from __future__ import annotations

from collections.abc import Iterable

from coscope.verifier.report import Violation
from coscope.verifier.subject import Subject

CODE = "VER804"

_SLOT, _CHUNK = 8, 1 << 30  # bytes of a pointer, and of the largest chunk that can be counted
_RESERVE = 1000  # slots that the interpreter adds to the frame: MINIMUM_OVERHEAD
_FIELDS = 64  # slots for the other fields of a frame, more than any version has
_HIGHEST = _CHUNK // _SLOT - _RESERVE - _FIELDS


def check(subject: Subject) -> Iterable[Violation]:
    code = subject.code
    size = code.stacksize + len(code.localsplusnames)
    if code.stacksize >= 0 and size <= _HIGHEST:
        return ()
    message = "the stack size is negative" if code.stacksize < 0 else "the frame is too large"
    return (subject.violation(CODE, message, expected=f"0 to {_HIGHEST} slots", found=size),)
