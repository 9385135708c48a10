"""An instruction uses a fast local that does not exist.

Fast locals are an array in the frame. Behind the last one lies the stack: a store there overwrites
what another instruction pushed, and a load takes it without counting the reference. To 3.10 locals
and cells are counted apart.

    RESUME 0
    LOAD_FAST 3             there are two locals
    RETURN_VALUE
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import compress

from coscope.verifier.bounds import beyond, operand_marks
from coscope.verifier.report import Violation
from coscope.verifier.subject import Subject

CODE = "VER203"


def check(subject: Subject) -> Iterable[Violation]:
    code, version = subject.code, subject.code.version
    if subject.rules.deref == "localsplus":
        limit = len(code.localsplusnames)
        wrong = [*beyond(subject, operand_marks(version, "local", "deref"), limit)]
        wrong += _pairs(subject, operand_marks(version, "local pair"), limit)
        return [_violation(subject, index, "fast local", limit) for index in wrong]
    cells = len(code.cellvars) + len(code.freevars)
    locals_ = beyond(subject, operand_marks(version, "local"), code.nlocals)
    derefs = beyond(subject, operand_marks(version, "deref"), cells)
    found = [_violation(subject, index, "fast local", code.nlocals) for index in locals_]
    return found + [_violation(subject, index, "cell", cells) for index in derefs]


def _pairs(subject: Subject, marks: bytes, limit: int) -> Iterable[int]:
    """Instructions that use two slots, one of which does not exist."""
    marked = subject.opcodes.translate(marks)
    if 1 not in marked:
        return ()
    opargs = subject.opargs
    return [
        index for index in compress(range(len(marked)), marked)
        if not (0 <= opargs[index] >> 4 < limit and opargs[index] & 15 < limit)
    ]  # fmt: skip


def _violation(subject: Subject, index: int, what: str, limit: int) -> Violation:
    oparg = subject.opargs[index]
    row = subject.rules.by_code[subject.opcodes[index]]
    pair = row is not None and row.operand == "local pair"
    return subject.violation(
        CODE,
        f"there is no such {what}",
        index,
        expected=f"a slot below {limit}",
        found=f"{oparg >> 4} and {oparg & 15}" if pair else oparg,
    )
