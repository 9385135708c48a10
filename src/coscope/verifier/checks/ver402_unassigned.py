"""A local is read that may have no value.

From 3.12 the compiler proves, for each LOAD_FAST, that the local has a value, and the interpreter
relies on it: only LOAD_FAST_CHECK looks. Up to 3.11 every LOAD_FAST looks, so the rule holds from
3.12 on. A LOAD_FAST_CHECK that succeeds is a proof for what comes after.

    LOAD_FAST x         x is no argument, and nothing has been stored
    RETURN_VALUE        returns NULL without an exception
"""

from __future__ import annotations

from collections.abc import Iterable

from coscope.verifier.report import Violation
from coscope.verifier.subject import Subject

CODE = "VER402"


def check(subject: Subject) -> Iterable[Violation]:
    return subject.reported(CODE, "unassigned")
