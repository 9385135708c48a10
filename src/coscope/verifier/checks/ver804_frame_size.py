"""The frame of the code object is larger than a C int can count.

A frame has a slot for each fast local and `co_stacksize` more. The interpreter adds them up, and
multiplies with the size of a pointer, in a C int: a sum that overflows makes a frame that is
smaller than what is written into it.

    co_stacksize = 2147483647       the sum is negative
"""

from __future__ import annotations

from collections.abc import Iterable

from coscope.verifier.report import Violation
from coscope.verifier.subject import Subject

CODE = "VER804"

# Bytes of a pointer; and slots for the other fields of a frame, more than any version has.
_SLOT, _FIELDS = 8, 64
_HIGHEST = 0x7FFFFFFF // _SLOT - _FIELDS


def check(subject: Subject) -> Iterable[Violation]:
    code = subject.code
    size = code.stacksize + len(code.localsplusnames)
    if code.stacksize >= 0 and size <= _HIGHEST:
        return ()
    message = "the stack size is negative" if code.stacksize < 0 else "the frame is too large"
    return (subject.violation(CODE, message, expected=f"0 to {_HIGHEST} slots", found=size),)
