"""The line table adds up to a line number longer than a C int.

Each entry adds to the line of the one before, in a C int, which overflows without a word: lines
turn negative, and what is written next to instrumented code is the difference to the first line.

    co_firstlineno = 2147483647, and an entry of +1
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from coscope.codec.lines import decode_rows
from coscope.errors import CodeError
from coscope.verifier.report import Violation
from coscope.verifier.subject import Subject

CODE = "VER903"

_INT_MAX = 0x7FFFFFFF
_SMALL = 1 << 18  # what three groups of six bits can hold at most
_large = re.compile(rb"[\x40-\x7f]{3}").search  # a number that may be larger


def check(subject: Subject) -> Iterable[Violation]:
    code = subject.code
    if subject.units is None or subject.structural:
        return ()
    most = abs(code.firstlineno) + len(code.linetable) * _SMALL
    if most <= _INT_MAX and not _large(code.linetable):
        return ()
    try:
        rows = decode_rows(code)
    except CodeError:
        return ()  # VER901 says why
    for row in rows:
        for line in row[:2]:
            if line is not None and not -_INT_MAX <= line <= _INT_MAX:
                message = "a line number is longer than a C int"
                return (
                    subject.violation(CODE, message, expected=f"at most {_INT_MAX}", found=line),
                )
    return ()
