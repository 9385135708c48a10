"""A slot that belongs to a cell holds something else.

`super()`, `locals()` and `f_locals` read the slots of captured variables by their kind alone: what
is in them is taken for a cell, without a look. Only an inlined comprehension (3.12 and later) may
use such a slot for a value of its own, while LOAD_FAST_AND_CLEAR has put the cell on the stack,
from where it is stored back. To call `super()` in there kills CPython itself, from source code that
its own compiler accepts: such code is accepted here too.

    MAKE_CELL self
    LOAD_CONST 1
    STORE_FAST self         the 1 takes the place of the cell
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache

from coscope.flow.domains.kind_plans import plan_of
from coscope.flow.effects import effect_of
from coscope.flow.frames import EMPTY, Frames, Stack, unlinked
from coscope.model import FAST_CELL, FAST_FREE
from coscope.opcodes import kinds, table
from coscope.verifier.report import Violation
from coscope.verifier.subject import Subject

CODE = "VER412"

_WORK = 64  # slots looked at for each instruction; genuine code has few
_CELLS = kinds.CELL | kinds.TYPED_CELL


@cache
def _storing(version: str) -> bytes:
    """By opcode number, 1 if it changes a local that need not be a cell."""
    return bytes(
        row is not None
        and any(access in ("write local", "delete local", "save local") for access in row.access)
        for row in table(version).by_code
    )


def check(subject: Subject) -> Iterable[Violation]:
    code = subject.code
    if subject.structural or not code.cellvars:
        return ()
    slots = [
        slot
        for slot, kind in enumerate(code.localspluskinds)
        if kind & FAST_CELL and not kind & FAST_FREE
    ]
    places = dict(_changes(subject, frozenset(slots)))
    if not places or subject.frames is None:
        return ()
    return _wrong(subject, subject.frames, places)


def _changes(subject: Subject, slots: frozenset[int]) -> Iterator[tuple[int, list[int]]]:
    """Instructions that change the slot of a cell, and which ones."""
    opcodes, opargs, version = subject.opcodes, subject.opargs, subject.code.version
    marks = opcodes.translate(_storing(version))
    index = marks.find(1)
    while index >= 0:
        effect = effect_of(version, opcodes[index], opargs[index], False)
        changed = [
            slot
            for access, slot in plan_of(version, effect).local
            if slot in slots and not access.startswith("read")
        ]
        if changed:
            yield index, changed
        index = marks.find(1, index + 1)


def _wrong(
    subject: Subject, frames: Frames[int], places: dict[int, list[int]]
) -> Iterator[Violation]:
    for index, changed in places.items():
        stack = frames.stack(index)
        if stack is not None:
            yield from _replaced(subject, index, changed, frames.locals(index), stack)
    slots = sorted({slot for changed in places.values() for slot in changed})
    domain, cells, work = subject.domain, _Cells(), _WORK * len(frames)
    assert domain is not None
    seen: dict[int, int | None] = {}  # by id() of the locals: a slot with a value of its own
    for index in range(_setup(subject), len(frames)):
        stack = frames.stack(index)
        if stack is None:
            continue
        held = frames.locals(index)
        if id(held) not in seen:
            plain = (slot for slot in slots if domain.get(held, slot) & kinds.OBJECT)
            seen[id(held)] = next(plain, None)
            work -= len(slots)
            if work < 0:
                message = "too many cells are put away to follow all of them"
                yield subject.violation(CODE, message, index, undecided=True)
                return
        slot = seen[id(held)]
        if slot is not None and not cells.holds(stack):
            yield _violation(subject, index, slot, "holds something else")
            return  # whatever comes after it holds it too


def _setup(subject: Subject) -> int:
    """How many instructions set up cells, before which arguments lie in their slots."""
    rows = subject.rules.opcodes
    setup = {rows[name].code for name in ("COPY_FREE_VARS", "MAKE_CELL", "EXTENDED_ARG")}
    return next((at for at, opcode in enumerate(subject.opcodes) if opcode not in setup), 0)


def _replaced(
    subject: Subject, index: int, changed: list[int], held: int, stack: Stack
) -> Iterator[Violation]:
    """Is a cell that is still in its slot overwritten or deleted?"""
    domain = subject.domain
    assert domain is not None
    effect = effect_of(subject.code.version, subject.opcodes[index], subject.opargs[index], False)
    values = unlinked(stack, min(stack[2], effect.popped))
    for access, slot in plan_of(subject.code.version, effect).local:
        stored = values.pop() if values and access == "write local" else kinds.NULL
        if slot not in changed or access.startswith(("save", "read")):
            continue
        if domain.get(held, slot) & _CELLS and not _is_cell(stored):
            yield _violation(subject, index, slot, "is overwritten")


def _is_cell(kind: int) -> bool:
    return kind & kinds.ATOMS in (kinds.CELL, kinds.TYPED_CELL)


def _violation(subject: Subject, index: int, slot: int, what: str) -> Violation:
    name = subject.code.localsplusnames[slot]
    return subject.violation(
        CODE,
        f"the slot of a cell {what}",
        index,
        expected=f"the cell of {name!r}, there or put away on the stack",
        found="no cell",
    )


class _Cells:
    """Is there a cell in a stack? Found once for each slot that states share."""

    def __init__(self) -> None:
        self.found: dict[int, bool] = {id(EMPTY): False}

    def holds(self, stack: Stack) -> bool:
        """True if a value in the stack is a cell for certain."""
        found, unknown = self.found, []
        while id(stack) not in found:
            unknown.append(stack)
            stack = stack[0]
        held = found[id(stack)]
        for each in reversed(unknown):
            held = held or _is_cell(each[1])
            found[id(each)] = held
        return held
