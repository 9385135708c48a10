"""An instruction that fills or reads a container may get another object.

LIST_APPEND, LIST_EXTEND, MAP_ADD, MATCH_KEYS, MATCH_CLASS, BUILD_CONST_KEY_MAP, the keywords of
CALL_FUNCTION_EX and the attributes of a function are taken for a list, dict or tuple without a
look, because the compiler made them one instruction earlier. Of another object, its fields are
used as length and pointers.

    LOAD_CONST 1
    LOAD_CONST 2
    LIST_APPEND 1       1 is no list
"""

from __future__ import annotations

from collections.abc import Iterable

from coscope.verifier.report import Violation
from coscope.verifier.subject import Subject

CODE = "VER403"


def check(subject: Subject) -> Iterable[Violation]:
    return subject.reported(CODE, "container")
