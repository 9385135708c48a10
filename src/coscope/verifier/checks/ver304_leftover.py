"""A return leaves values on the stack.

The compiler takes everything from the stack before it returns, and a debug build stops where that
does not hold. A release build drops them; no code of the compiler's needs it.

    LOAD_CONST 1
    LOAD_CONST 2
    RETURN_VALUE        1 is left
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from coscope.flow.effects import effect_of
from coscope.opcodes import table
from coscope.verifier.report import Violation
from coscope.verifier.subject import Subject

CODE = "VER304"


@cache
def _returning(version: str) -> bytes:
    """By opcode number, 1 if control leaves the frame for good."""
    rows = table(version).by_code
    return bytes(row is not None and row.ends == "return" for row in rows)


def check(subject: Subject) -> Iterator[Violation]:
    if subject.sound:
        return
    frames, instructions = subject.frames, subject.instructions
    if frames is None or instructions is None or subject.structural:
        return
    version = subject.code.version
    ends = bytes(instructions.opcodes).translate(_returning(version))
    depths = frames.depths
    index = ends.find(1)
    while index >= 0:
        depth = depths[index]
        effect = effect_of(version, instructions.opcodes[index], instructions.opargs[index], False)
        if depth is not None and depth > effect.popped:
            yield subject.violation(
                CODE,
                f"{effect.row.name} leaves values on the stack",
                index,
                expected="an empty stack",
                found=f"{depth - effect.popped} slots",
            )
        index = ends.find(1, index + 1)
