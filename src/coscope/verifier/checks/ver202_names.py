"""An instruction takes a name that does not exist.

`GETITEM(co_names, oparg)` is an array access without a check. In some opcodes the index is
above one or two flag bits. Names cut off kill the process in 95 of 100 functions.

    RESUME 0
    LOAD_GLOBAL 6 (name 3)  there are two names
    RETURN_VALUE
"""

from __future__ import annotations

from collections.abc import Iterable

from coscope.verifier.bounds import beyond, operand_marks
from coscope.verifier.report import Violation
from coscope.verifier.subject import Subject

CODE = "VER202"

_SHIFTS = {"name": 0, "name>>1": 1, "name>>2": 2}


def check(subject: Subject) -> Iterable[Violation]:
    limit = len(subject.code.names)
    version = subject.code.version
    found = []
    for operand, shift in _SHIFTS.items():
        for index in beyond(subject, operand_marks(version, operand), limit, shift):
            found.append(
                subject.violation(
                    CODE,
                    "there is no such name",
                    index,
                    expected=f"an index below {limit}",
                    found=subject.opargs[index] >> shift,
                )
            )
    return found
