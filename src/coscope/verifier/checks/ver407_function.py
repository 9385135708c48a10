"""A function is made from something else than a code object and what fits it.

MAKE_FUNCTION takes a code object, without a look. The closure must be a tuple of cells, one for
each of the code object's free variables: COPY_FREE_VARS of the function will read so many. Each
attribute is set once, on a function that was just made.

    LOAD_CONST <code of inner, free variable x>
    MAKE_FUNCTION 0     no closure: calling inner reads address 24
"""

from __future__ import annotations

from collections.abc import Iterable

from coscope.verifier.report import Violation
from coscope.verifier.subject import Subject

CODE = "VER407"


def check(subject: Subject) -> Iterable[Violation]:
    return subject.reported(CODE, "function")
