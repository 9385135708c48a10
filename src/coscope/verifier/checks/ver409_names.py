"""Names of keyword arguments or attributes are not a tuple of str.

CALL_KW and MATCH_CLASS read a tuple of names without a look, and CALL_KW takes as many arguments
for keyword arguments as there are names.

    LOAD_CONST f
    PUSH_NULL
    LOAD_CONST 1
    LOAD_CONST ('a', 'b')
    CALL_KW 1           two names for one argument
"""

from __future__ import annotations

from collections.abc import Iterable

from coscope.verifier.report import Violation
from coscope.verifier.subject import Subject

CODE = "VER409"


def check(subject: Subject) -> Iterable[Violation]:
    return subject.reported(CODE, "names")
