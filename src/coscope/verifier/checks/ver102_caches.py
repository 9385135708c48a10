"""An inline cache is not zero, or the code ends inside it.

From 3.11 many instructions are followed by code units in which the interpreter keeps a counter,
type versions and pointers. It takes what it finds there for its own: a counter that is not zero
delays or hastens specialisation, and after that the cached words are used without a question. The
compiler writes zeros. `co_code` shows zeros too, whatever is stored.

    LOAD_ATTR 0 (a)
    CACHE 0x1234            a counter that nobody counted
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from coscope.model import Instructions
from coscope.verifier.report import Violation
from coscope.verifier.subject import Subject

CODE = "VER102"


def check(subject: Subject) -> Iterable[Violation]:
    instructions = subject.instructions
    if instructions is None or instructions.plain:
        return ()
    return _wrong(subject, instructions)


def _wrong(subject: Subject, instructions: Instructions) -> Iterator[Violation]:
    code, steps = subject.code.code, subject.rules.steps
    for index, opcode in enumerate(subject.opcodes):
        size = 2 * steps[opcode] - 2
        if not size:
            continue
        start = instructions.offsets[index] + 2
        cache = code[start : start + size]
        if len(cache) < size:
            yield subject.violation(
                CODE,
                "the code ends inside the inline cache",
                index,
                expected=f"{size} bytes",
                found=f"{len(cache)} bytes",
            )
        if any(cache):
            yield subject.violation(
                CODE, "the inline cache is not zero", index, expected="zeros", found=cache.hex(" ")
            )
