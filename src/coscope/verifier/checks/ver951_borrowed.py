"""A local changes while a value that was borrowed from it is in use.

From 3.14, LOAD_FAST_BORROW puts a local on the stack without a reference of its own: the local's
keeps the object alive. If the local is overwritten, deleted or put away meanwhile, the object may
be freed, and the stack points to memory of somebody else.

    LOAD_FAST_BORROW x
    LOAD_CONST None
    STORE_FAST x        frees what lies on the stack
    RETURN_VALUE
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from coscope.flow.domains.kind import plan_of
from coscope.flow.effects import effect_of
from coscope.flow.frames import Frames
from coscope.opcodes import kinds, table
from coscope.verifier.report import Violation
from coscope.verifier.subject import Subject

CODE = "VER951"

_CHANGES = ("write", "delete", "save", "make")
_WORK = 64  # slots looked at for each instruction; genuine code has few


@cache
def _changing(version: str) -> bytes | None:
    """By opcode number, 1 if it changes a local; None if nothing can be borrowed."""
    rules = table(version)
    if not rules.borrows:
        return None
    return bytes(
        row is not None
        and row.operand in ("local", "local pair", "deref")
        and any(access.split(" ")[0] in _CHANGES for access in row.access)
        and not any(
            access.endswith("cell") and not access.startswith("make") for access in row.access
        )
        for row in rules.by_code
    )


def check(subject: Subject) -> Iterator[Violation]:
    changing = _changing(subject.code.version)
    if changing is None:
        return
    frames, instructions = subject.frames, subject.instructions
    if frames is None or instructions is None:
        return
    marks = bytes(instructions.opcodes).translate(changing)
    work = _WORK * len(marks)
    index = marks.find(1)
    while index >= 0:
        found, cost = _borrowed(subject, frames, index)
        work -= cost
        if work < 0:
            yield subject.violation(
                CODE, "too much is borrowed to follow all of it", index, undecided=True
            )
            return
        if found is not None:
            yield subject.violation(
                CODE,
                "a local changes while a value borrowed from it is in use",
                index,
                expected="no change before the value is used",
                found=repr(found),
            )
        index = marks.find(1, index + 1)


def _borrowed(subject: Subject, frames: Frames[int], index: int) -> tuple[str | None, int]:
    """The local that an instruction changes while it is borrowed, and the slots looked at."""
    frame = frames[index]
    instructions = subject.instructions
    if frame is None or instructions is None:
        return None, 0
    version, opcode = subject.code.version, instructions.opcodes[index]
    effect = effect_of(version, opcode, instructions.opargs[index], False)
    left = frame.stack[: len(frame) - effect.popped]
    if not any(kind & kinds.BORROWED for kind in left):
        return None, len(frame)
    for access, slot in plan_of(version, effect).local:
        if access.split(" ")[0] not in _CHANGES:
            continue
        for kind in left:
            if kind & kinds.BORROWED and kinds.parameter(kind) in (slot, None):
                return subject.code.localsplusnames[slot], len(frame)
    return None, len(frame)
