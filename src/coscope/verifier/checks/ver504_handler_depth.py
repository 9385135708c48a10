"""A handler expects more values than an instruction in its range leaves.

When an exception is raised, the interpreter drops values until the stack has the depth that the
exception table says. If the stack is not that deep already, nothing is dropped, and the handler
works with what lay there before. What counts is the depth after the raising instruction took its
operands; for YIELD_VALUE, the depth after `throw()` has put its value there.

    L1 to L2 -> L3 [2]  at L1 the stack holds one value
"""

from __future__ import annotations

from collections.abc import Iterable

from coscope.verifier.report import Violation
from coscope.verifier.subject import Subject

CODE = "VER504"


def check(subject: Subject) -> Iterable[Violation]:
    return subject.reported(CODE, "handler")
