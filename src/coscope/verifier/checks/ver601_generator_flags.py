"""The flags of a generator and its RETURN_GENERATOR disagree.

From 3.11 a generator's frame is moved into the generator by RETURN_GENERATOR, which chooses the
type by the flags: generator, coroutine or async generator, exactly one. Code with such a flag and
without the instruction runs as an ordinary function: its first YIELD_VALUE takes the frame for a
part of a generator, and writes to memory in front of it. Without a flag, or with two, the object
gets the wrong type. `inspect`, `await` and `async for` trust the flags too.

    RESUME 0                CO_GENERATOR is set
    LOAD_CONST 0 (None)
    YIELD_VALUE             there is no generator round this frame
"""

from __future__ import annotations

from collections.abc import Iterable

from coscope.model import Flags
from coscope.verifier.report import Violation
from coscope.verifier.subject import Subject

CODE = "VER601"

KINDS = 0x2A0  # CO_GENERATOR, CO_COROUTINE, CO_ASYNC_GENERATOR


def check(subject: Subject) -> Iterable[Violation]:
    kinds = subject.code.flags & KINDS
    returns = subject.rules.opcodes.get("RETURN_GENERATOR")
    has = returns is not None and returns.code in subject.opcodes
    if not kinds and not has:
        return ()
    found = []
    if kinds & kinds - 1:
        found.append(
            subject.violation(
                CODE,
                "the code object is of two kinds of generator",
                expected="one of GENERATOR, COROUTINE and ASYNC_GENERATOR",
                found=" and ".join(Flags(kinds).names),
            )
        )
    if has and not kinds and returns is not None:
        found.append(
            subject.violation(
                CODE,
                "RETURN_GENERATOR is in code that is not a generator",
                subject.opcodes.index(returns.code),
                expected="one of the flags GENERATOR, COROUTINE and ASYNC_GENERATOR",
                found="none",
            )
        )
    if kinds and returns is not None and not has:
        found.append(
            subject.violation(
                CODE,
                "the flags say generator, but nothing makes one",
                expected="RETURN_GENERATOR",
                found=" and ".join(Flags(kinds).names),
            )
        )
    return found
