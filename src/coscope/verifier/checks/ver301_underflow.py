"""An instruction takes more values than the stack holds.

Below the first slot of the stack lie the locals, below those the frame's own fields. The
interpreter does not look: it takes what is there for an object, and gives its reference away.

    RESUME 0
    POP_TOP             the stack is empty: this drops a local
    LOAD_CONST None
    RETURN_VALUE
"""

from __future__ import annotations

from collections.abc import Iterable

from coscope.verifier.report import Violation
from coscope.verifier.subject import Subject

CODE = "VER301"


def check(subject: Subject) -> Iterable[Violation]:
    return subject.reported(CODE, "underflow")
