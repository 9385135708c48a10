"""A loop does not end at the instruction that cleans up behind it.

From 3.12 FOR_ITER, when its iterator is exhausted, goes on behind the END_FOR (and POP_TOP,
POP_ITER) at its target: specialised forms have done already what those do, and step over them.
They do not look whether they are there. SEND to END_SEND likewise. The distance of a SEND is kept
in 16 bits while the sub-generator runs (`return_offset` of the frame). Which instructions
must be at the target is in the opcode tables: `lands`.

    GET_ITER
    FOR_ITER L2             the loop over a list steps over the POP_TOP
    POP_TOP
    JUMP_BACKWARD L1
L2: POP_TOP                 no END_FOR
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from functools import cache

from coscope.model import Instructions
from coscope.opcodes import table
from coscope.verifier.report import Violation
from coscope.verifier.subject import Subject

CODE = "VER702"

_DISTANCE = 0x7FFF  # code units


def check(subject: Subject) -> Iterable[Violation]:
    instructions = subject.instructions
    if instructions is None:
        return ()
    if not subject.opcodes.translate(None, _elsewhere(subject.code.version)):
        return ()
    return _wrong(subject, instructions)


@cache
def _elsewhere(version: str) -> bytes:
    """Opcodes that may land anywhere."""
    rows = table(version).by_code
    return bytes(opcode for opcode, row in enumerate(rows) if row is None or not row.lands)


def _wrong(subject: Subject, instructions: Instructions) -> Iterator[Violation]:
    rows, opcodes, offsets = subject.rules.by_code, subject.opcodes, instructions.offsets
    for index, opcode in enumerate(opcodes):
        row = rows[opcode]
        if row is None or not row.lands:
            continue
        target = instructions.jump_target(index)
        if target not in subject.starts or target is None:
            continue  # VER104 reports it
        at = bisect_left(offsets, target)
        landed = tuple(
            instructions.opname(place)
            for place in range(at, min(at + len(row.lands), len(opcodes)))
        )
        if landed != row.lands:
            yield subject.violation(
                CODE,
                f"{row.name} does not land on the instructions that it assumes",
                index,
                expected=", ".join(row.lands),
                found=", ".join(landed),
            )
        elif subject.handled.intersection(offsets[at : at + len(row.lands)]):
            yield subject.violation(
                CODE,
                f"{row.name} lands at an exception handler",
                index,
                expected="an instruction that no handler starts with",
                found=", ".join(landed),
            )
        # A FOR_ITER further away is never specialised for generators.
        if row.tests == "finished" and subject.opargs[index] > _DISTANCE:
            yield subject.violation(
                CODE,
                f"{row.name} jumps further than 16 bits can express",
                index,
                expected=f"at most {_DISTANCE} code units",
                found=subject.opargs[index],
            )
