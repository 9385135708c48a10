"""The code object says that it has a docstring, but has no constants.

From 3.14 the flag CO_HAS_DOCSTRING says, when a function is made, that the first constant is its
docstring. `PyTuple_GetItem(consts, 0)` of an empty tuple is NULL, and the type of NULL is looked
at next.

    co_flags = HAS_DOCSTRING, co_consts = ()
"""

from __future__ import annotations

from collections.abc import Iterable

from coscope.verifier.report import Violation
from coscope.verifier.subject import Subject

CODE = "VER805"


def check(subject: Subject) -> Iterable[Violation]:
    code = subject.code
    if code.consts or not code.flags & subject.rules.numbers.get("docstring_flag", 0):
        return ()
    return (
        subject.violation(
            CODE,
            "the flag says docstring, but there are no constants",
            expected="a first constant",
            found="none",
        ),
    )
