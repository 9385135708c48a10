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

from coscope.flow.domains.kind_plans import CHANGES, changes_of
from coscope.flow.effects import effect_of
from coscope.flow.frames import EMPTY, Stack, ascend
from coscope.opcodes import kinds, table
from coscope.verifier.report import Violation
from coscope.verifier.subject import Subject

CODE = "VER951"

_WORK = 64  # borrowed values looked at for each instruction; genuine code has few


@cache
def _changing(version: str) -> bytes | None:
    """By opcode number, 1 if it changes a local; None if nothing can be borrowed."""
    rules = table(version)
    if not rules.borrows:
        return None
    return bytes(
        row is not None
        and row.operand in ("local", "local pair", "deref")
        and any(access.split(" ")[0] in CHANGES for access in row.access)
        and not any(
            access.endswith("cell") and not access.startswith("make") for access in row.access
        )
        for row in rules.by_code
    )


def check(subject: Subject) -> Iterator[Violation]:
    changing = _changing(subject.code.version)
    if changing is None or subject.sound:
        return
    frames, instructions = subject.frames, subject.instructions
    if frames is None or instructions is None:
        return
    marks = bytes(instructions.opcodes).translate(changing)
    lent = _Lent()
    work = _WORK * len(marks)
    index = marks.find(1)
    while index >= 0:
        stack = frames.stack(index)
        if stack is not None:
            version, opcode = subject.code.version, instructions.opcodes[index]
            effect = effect_of(version, opcode, instructions.opargs[index], False)
            changed = changes_of(version, effect)
            borrowed = lent.below(ascend(stack, max(0, stack[2] - effect.popped)))
            work -= len(borrowed)
            if work < lent.cost:
                yield subject.violation(
                    CODE, "too much is borrowed to follow all of it", index, undecided=True
                )
                return
            found = min((slot for slot in changed if borrowed & {slot, None}), default=None)
            if found is not None:
                yield subject.violation(
                    CODE,
                    "a local changes while a value borrowed from it is in use",
                    index,
                    expected="no change before the value is used",
                    found=repr(subject.code.localsplusnames[found]),
                )
        index = marks.find(1, index + 1)


class _Lent:
    """Which locals are borrowed in a stack, found once for each slot that states share."""

    def __init__(self) -> None:
        self.cost = 0  # owners that were copied
        self.found: dict[int, frozenset[int | None]] = {id(EMPTY): frozenset()}

    def below(self, stack: Stack) -> frozenset[int | None]:
        """The owners of the borrowed values in a stack; None is any local."""
        found = self.found
        unknown = []
        while id(stack) not in found:
            unknown.append(stack)
            stack = stack[0]
        owners = found[id(stack)]
        for each in reversed(unknown):
            owner = kinds.parameter(each[1])
            if each[1] & kinds.BORROWED and owner not in owners:
                self.cost += len(owners)
                owners |= {owner}
            found[id(each)] = owners
        return owners
