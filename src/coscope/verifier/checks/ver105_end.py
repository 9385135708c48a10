"""Control can fall off the end of the code.

The interpreter does not know where the code ends. Behind the last instruction it goes on with what
lies there in memory: from 3.11 the rest of the code object, then other objects. So the last
instruction must be one that never goes on; to 3.10 it may be another one if nothing leads there.

    RESUME 0
    LOAD_CONST 0 (None)     nothing returns it
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from coscope.opcodes import table
from coscope.verifier.report import Violation
from coscope.verifier.subject import Subject

CODE = "VER105"


def check(subject: Subject) -> Iterable[Violation]:
    opcodes = subject.opcodes
    if not opcodes or opcodes[-1] in _ending(subject.code.version):
        return ()
    if subject.structural and subject.graph is not None:
        return ()  # the compilers of these versions leave dead code at the end
    last = len(opcodes) - 1
    return (
        subject.violation(
            CODE,
            "control can fall off the end of the code",
            last,
            expected="a jump, return or raise as the last instruction",
            found=_name(subject, last),
        ),
    )


@cache
def _ending(version: str) -> bytes:
    """Opcodes after which control never reaches the next instruction."""
    rows = table(version).by_code
    return bytes(
        opcode for opcode, row in enumerate(rows) if row is not None and row.ends is not None
    )


def _name(subject: Subject, index: int) -> str:
    instructions = subject.instructions
    return "nothing" if instructions is None else instructions.opname(index)
