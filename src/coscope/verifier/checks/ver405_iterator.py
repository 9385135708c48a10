"""FOR_ITER may get what is no iterator.

Up to 3.13.0, FOR_ITER calls its operand's `tp_iternext` without a look: NULL in a type that is no
iterator's. GET_ITER makes iterators; so does whoever calls a generator expression, whose
argument `.0` must be one (see VER408).

    LOAD_CONST 1
    FOR_ITER L1         int has no tp_iternext
"""

from __future__ import annotations

from collections.abc import Iterable

from coscope.verifier.report import Violation
from coscope.verifier.subject import Subject

CODE = "VER405"


def check(subject: Subject) -> Iterable[Violation]:
    return subject.reported(CODE, "iterator")
