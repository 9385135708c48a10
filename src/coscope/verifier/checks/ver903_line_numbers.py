"""A line number is negative, or longer than a C int.

Each entry of the table adds to the line of the one before, in a C int, which overflows without a
word. A negative line means "no line" to sys.monitoring, which knows -1 alone (a debug build stops);
what is written next to instrumented code is the difference to the first line.

    co_firstlineno = 1, and an entry of -9
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from coscope.codec.lines import decode_rows
from coscope.errors import CodeError
from coscope.model import Code
from coscope.verifier.report import Violation
from coscope.verifier.subject import Subject

CODE = "VER903"

_INT_MAX = 0x7FFFFFFF
_SMALL = 1 << 18  # what three groups of six bits can hold at most
_large = re.compile(rb"[\x40-\x7f]{3}").search  # a number that may be larger
_deltas = re.compile(rb"[\xe8-\xf7]([\x40-\x7f]*[\x00-\x3f])").findall  # those that may go back


def check(subject: Subject) -> Iterable[Violation]:
    code = subject.code
    if subject.units is None or subject.structural or not _suspect(code):
        return ()
    try:
        rows = decode_rows(code)
    except CodeError:
        return ()  # VER901 says why
    for row in rows:
        for line in row[:2]:
            if line is not None and not 0 <= line <= _INT_MAX:
                return (
                    subject.violation(
                        CODE,
                        "a line number is negative, or longer than a C int",
                        expected=f"0 to {_INT_MAX}",
                        found=line,
                    ),
                )
    return ()


def _suspect(code: Code) -> bool:
    """False if all lines are small, and none can be negative, without decoding the table."""
    table, first = code.linetable, code.firstlineno
    if first < 0 or first + len(table) * _SMALL > _INT_MAX or _large(table):
        return True
    furthest = 0
    for delta in _deltas(table):
        if delta[0] & 1:
            furthest += sum((group & 63) << 6 * at for at, group in enumerate(delta)) >> 1
    return first < furthest
