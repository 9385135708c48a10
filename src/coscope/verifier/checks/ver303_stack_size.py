"""The stack may grow past its end.

A frame has room for `co_stacksize` values. The interpreter does not look; what is pushed behind the
end overwrites the next frame, or memory of somebody else.

    co_stacksize = 1
    LOAD_CONST 1
    LOAD_CONST 2        the second slot
"""

from __future__ import annotations

from collections.abc import Iterator

from coscope.verifier.report import Violation
from coscope.verifier.subject import Subject

CODE = "VER303"


def check(subject: Subject) -> Iterator[Violation]:
    most = subject.peak
    if most is not None and most > subject.code.stacksize:
        yield subject.violation(
            CODE,
            "the stack may grow past its end",
            expected=f"co_stacksize of at least {most}",
            found=subject.code.stacksize,
        )
