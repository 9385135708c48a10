"""An instruction may take NULL for an object.

PUSH_NULL, LOAD_GLOBAL and LOAD_ATTR leave NULL pointers on the stack, where a call expects
them. Every other instruction reads the type of what it takes, at address 8.

    PUSH_NULL
    LOAD_CONST 1
    BINARY_OP +         its left operand is NULL
"""

from __future__ import annotations

from collections.abc import Iterable

from coscope.verifier.report import Violation
from coscope.verifier.subject import Subject

CODE = "VER401"


def check(subject: Subject) -> Iterable[Violation]:
    return subject.reported(CODE, "null")
