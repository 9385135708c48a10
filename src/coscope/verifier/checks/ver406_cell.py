"""A slot that is no cell is used as one.

LOAD_DEREF, STORE_DEREF, DELETE_DEREF and their kin follow the slot's pointer as that of a cell.
MAKE_CELL and COPY_FREE_VARS put cells there; nothing else may change the slot of a free variable,
because `locals()` and tracebacks read it too.

    LOAD_CONST 1
    STORE_FAST x        x is a cell variable; its cell is gone
    LOAD_DEREF x
"""

from __future__ import annotations

from collections.abc import Iterable

from coscope.verifier.report import Violation
from coscope.verifier.subject import Subject

CODE = "VER406"


def check(subject: Subject) -> Iterable[Violation]:
    return subject.reported(CODE, "cell")
