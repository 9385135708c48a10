"""Paths that meet disagree about the depth of the stack.

Where two paths meet, the instructions behind count their operands from the top of the stack. If
one path brings a value more, they take the wrong ones on it; in a loop the stack grows, past its
end and into other memory.

    L1: LOAD_CONST 1
        JUMP_BACKWARD L1        one slot more in each round
"""

from __future__ import annotations

from collections.abc import Iterable

from coscope.verifier.report import Violation
from coscope.verifier.subject import Subject

CODE = "VER302"


def check(subject: Subject) -> Iterable[Violation]:
    return subject.reported(CODE, "disagreement")
