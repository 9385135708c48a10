"""A borrowed value is kept where it outlives the local that owns it.

From 3.14, what LOAD_FAST_BORROW puts on the stack has no reference of its own. A local that is
given it owns nothing, but drops a reference when it is overwritten: the object is freed twice.

    LOAD_FAST_BORROW x
    STORE_FAST y        y now counts a reference that nobody took
"""

from __future__ import annotations

from collections.abc import Iterable

from coscope.verifier.report import Violation
from coscope.verifier.subject import Subject

CODE = "VER952"


def check(subject: Subject) -> Iterable[Violation]:
    return subject.reported(CODE, "borrow")
