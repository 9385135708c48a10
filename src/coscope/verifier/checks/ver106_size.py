"""The code is empty, or ends inside a code unit.

The interpreter reads the first code unit without asking whether there is one, and takes two bytes
at a time. It also counts bytes of code in a C int.

    co_code = b""           the first instruction is what follows in memory
"""

from __future__ import annotations

from collections.abc import Iterable

from coscope.verifier.report import Violation
from coscope.verifier.subject import Subject

CODE = "VER106"

_INT_MAX = 0x7FFFFFFF


def check(subject: Subject) -> Iterable[Violation]:
    size = len(subject.code.code)
    if 0 < size <= _INT_MAX and not size & 1:
        return ()
    message = "there are no instructions" if not size else "the code ends inside a code unit"
    if size > _INT_MAX:
        message = "the code is longer than a C int can count"
    expected = "an even number of bytes, not 0"
    return (subject.violation(CODE, message, expected=expected, found=f"{size} bytes"),)
