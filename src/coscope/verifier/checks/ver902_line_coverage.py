"""The line table does not cover the code exactly.

The interpreter walks the table until it has passed the instruction that it looks for; where the
table ends too early it goes on behind it, and instrumentation for `sys.monitoring` and coverage
tools writes the lines that it finds there next to the code. Only in 3.11 and later: before, the
last line goes on to the end of the code.

    co_linetable = 80 00    one code unit; the code has three
"""

from __future__ import annotations

from collections.abc import Iterable

from coscope.verifier.report import Violation
from coscope.verifier.subject import Subject

CODE = "VER902"


def check(subject: Subject) -> Iterable[Violation]:
    units, size = subject.units, len(subject.code.code)
    if units is None or subject.structural or 2 * units == size:
        return ()
    return (
        subject.violation(
            CODE,
            "the line table does not cover the code",
            expected=f"{size} bytes",
            found=f"{2 * units} bytes",
        ),
    )
