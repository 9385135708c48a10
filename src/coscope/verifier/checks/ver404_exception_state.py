"""An instruction that handles exceptions may get another object.

PUSH_EXC_INFO and POP_EXCEPT put what they take into the thread's state as the exception that is
handled. RERAISE, END_ASYNC_FOR, CLEANUP_THROW and WITH_EXCEPT_START read the traceback in it.
What they take must be an exception, or the previous one, which may be None; and what RERAISE takes
for the place of the raise must be what a handler with `lasti` found on its stack.

    LOAD_CONST 1
    RERAISE 0           1 has no traceback
"""

from __future__ import annotations

from collections.abc import Iterable

from coscope.verifier.report import Violation
from coscope.verifier.subject import Subject

CODE = "VER404"


def check(subject: Subject) -> Iterable[Violation]:
    return subject.reported(CODE, "exception")
