"""An instruction gets an operand that only a debug build would refuse.

UNARY_NOT and POP_JUMP_IF_TRUE and _FALSE (3.13+) compare with True and False by address, and some
intrinsics trust a name to be a str. A release build goes on with a wrong answer, a debug build
stops. The compiler never emits it, so such code comes from elsewhere.

    LOAD_CONST 1
    POP_JUMP_IF_FALSE L1        without TO_BOOL before it
"""

from __future__ import annotations

from collections.abc import Iterable

from coscope.verifier.report import Violation
from coscope.verifier.subject import Subject

CODE = "VER411"


def check(subject: Subject) -> Iterable[Violation]:
    return subject.reported(CODE, "asserted")
