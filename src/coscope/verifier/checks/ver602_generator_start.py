"""RETURN_GENERATOR is not exactly once at the very beginning.

It copies the frame into a new generator, and pops the old one from the thread. A second time
there is no frame of a function any more to copy from: 3.11 crashes, later versions hang. What is
on the stack is copied with the frame, but an exception handler round it would go on in the frame
that was left. So only what sets up cells, and what else the opcode table lists (`after`), may
come before, no jump or handler may lead there, and no range may protect it.

    RETURN_GENERATOR
    POP_TOP
    RETURN_GENERATOR        the frame belongs to a generator already
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from coscope.model import Instructions
from coscope.verifier.report import Violation
from coscope.verifier.subject import Subject

CODE = "VER602"


def check(subject: Subject) -> Iterable[Violation]:
    row = subject.rules.opcodes.get("RETURN_GENERATOR")
    instructions = subject.instructions
    if row is None or instructions is None or row.code not in subject.opcodes:
        return ()
    return _wrong(subject, instructions, row.code)


def _wrong(subject: Subject, instructions: Instructions, opcode: int) -> Iterator[Violation]:
    opcodes = subject.opcodes
    before = subject.rules.opcodes["RETURN_GENERATOR"].after
    first = opcodes.index(opcode)
    for index in range(first + 1, len(opcodes)):
        if opcodes[index] == opcode:
            yield subject.violation(
                CODE, "RETURN_GENERATOR occurs twice", index, expected="one", found="another"
            )
    for index in range(first):
        name = instructions.opname(index)
        if name not in before and opcodes[index] != subject.rules.extended_arg:
            yield subject.violation(
                CODE,
                "RETURN_GENERATOR comes too late",
                first,
                expected=f"nothing before it but {', '.join(before)}",
                found=name,
            )
            break
    yield from _entered(subject, instructions, first)


def _entered(subject: Subject, instructions: Instructions, first: int) -> Iterator[Violation]:
    """Ways that lead back to the making of the generator."""
    place = instructions.offsets[first]
    jumps = min(instructions.jump_targets, default=place + 1)
    if jumps <= place:
        yield subject.violation(
            CODE,
            "a jump leads to the making of the generator",
            first,
            expected="jumps behind it",
            found=f"a jump to {jumps}",
        )
    for region in subject.regions or ():
        if region.target <= place or region.start <= place:
            yield subject.violation(
                CODE,
                "an exception handler touches the making of the generator",
                first,
                expected="ranges and handlers behind it",
                found=f"{region.start} to {region.stop}, handler {region.target}",
            )
