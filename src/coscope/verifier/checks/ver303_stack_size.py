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
    if most is None:
        yield from _pushed_at_once(subject)
    if most is not None and most > subject.code.stacksize:
        yield subject.violation(
            CODE,
            "the stack may grow past its end",
            expected=f"co_stacksize of at least {most}",
            found=subject.code.stacksize,
        )


def _pushed_at_once(subject: Subject) -> Iterator[Violation]:
    """Where the stack is not followed: single instructions that fill more than all of it."""
    graph, instructions = subject.graph, subject.instructions
    if graph is None or instructions is None:
        return
    size = subject.code.stacksize
    for block in graph.blocks:
        for index in range(block.start, block.stop) if block.reachable else ():
            row = subject.rules.by_code[instructions.opcodes[index]]
            oparg = instructions.opargs[index]
            if row is not None and oparg > size and row.pushed(oparg) > size:
                yield subject.violation(
                    CODE,
                    "an instruction fills more slots than the stack has",
                    index,
                    expected=f"at most {size}",
                    found=row.pushed(oparg),
                )
