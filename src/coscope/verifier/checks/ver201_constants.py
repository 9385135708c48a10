"""An instruction takes a constant that does not exist.

`GETITEM(co_consts, oparg)` is an array access without a check in release builds: what lies behind
the tuple is taken for an object.

    RESUME 0
    LOAD_CONST 7            there is one constant
    RETURN_VALUE
"""

from __future__ import annotations

from collections.abc import Iterable

from coscope.verifier.bounds import beyond, operand_marks
from coscope.verifier.report import Violation
from coscope.verifier.subject import Subject

CODE = "VER201"


def check(subject: Subject) -> Iterable[Violation]:
    consts = subject.code.consts
    wrong = beyond(
        subject, operand_marks(subject.code.version, "const", "const names"), len(consts)
    )
    if not wrong:
        return ()
    return [
        subject.violation(
            CODE,
            "there is no such constant",
            index,
            expected=f"an index below {len(consts)}",
            found=subject.opargs[index],
        )
        for index in wrong
    ]
