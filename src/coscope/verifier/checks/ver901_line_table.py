"""The line table is malformed.

Tracebacks, tracing and `co_positions()` read the table without a check of each byte against its
end: a number that goes on reads behind the bytes object. From 3.11 an entry is a first byte with
its top bit set, and as many numbers as its form says, none with more than 36 bits. To 3.10 the
table is pairs of bytes.

    f0 7f           a "long" entry that ends inside its first number
"""

from __future__ import annotations

from collections.abc import Iterable

from coscope.codec.lines import decode_rows
from coscope.errors import CodeError
from coscope.verifier.report import Violation
from coscope.verifier.subject import Subject

CODE = "VER901"


def check(subject: Subject) -> Iterable[Violation]:
    if subject.units is not None:
        return ()
    try:
        decode_rows(subject.code)
    except CodeError as error:
        return (subject.violation(CODE, error.what, offset=error.offset, found=error.found),)
    return ()
