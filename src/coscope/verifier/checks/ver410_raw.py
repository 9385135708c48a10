"""A value that is no object goes where an object belongs.

What a handler finds as `lasti` is a number for RERAISE alone: from 3.14 no object at all, but a
tagged integer.

    RETURN_VALUE        the stack holds lasti
"""

from __future__ import annotations

from collections.abc import Iterable

from coscope.verifier.report import Violation
from coscope.verifier.subject import Subject

CODE = "VER410"


def check(subject: Subject) -> Iterable[Violation]:
    return subject.reported(CODE, "raw")
