"""Cells and free variables are not set up at the very beginning.

COPY_FREE_VARS moves the function's closure into the last fast locals. It reads as many cells as
its oparg says: one more than the closure has is memory behind the tuple. A frame that is looked
at before it ran sets up its free variables itself if, and only if, the first instruction is
COPY_FREE_VARS. MAKE_CELL must come before the code proper for every cell: `super()` takes the
first argument for a cell if its kind says so, without a look.

    RESUME 0                co_freevars = ("x",), and no COPY_FREE_VARS
    LOAD_DEREF 0 (x)        the slot holds NULL
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from coscope.model import FAST_CELL, FAST_FREE
from coscope.verifier.report import Violation
from coscope.verifier.subject import Subject

CODE = "VER803"


def check(subject: Subject) -> Iterable[Violation]:
    copy = subject.rules.opcodes.get("COPY_FREE_VARS")
    if copy is None or not subject.opcodes:
        return ()
    code = subject.code
    copies = copy.code in subject.opcodes
    if not copies and not code.freevars and not code.cellvars:
        return ()
    return _wrong(subject, copy.code)


def _wrong(subject: Subject, copy: int) -> Iterator[Violation]:
    opcodes, opargs = subject.opcodes, subject.opargs
    extended_arg = subject.rules.extended_arg
    free = sum(bool(kind & FAST_FREE) for kind in subject.code.localspluskinds)
    first = next((at for at, opcode in enumerate(opcodes) if opcode != extended_arg), 0)
    for index in (at for at, opcode in enumerate(opcodes) if opcode == copy):
        if index != first:
            yield subject.violation(
                CODE,
                "COPY_FREE_VARS is not the first instruction",
                index,
                expected="the first instruction",
                found=f"number {index}",
            )
        if opargs[index] != free:
            yield subject.violation(
                CODE,
                "COPY_FREE_VARS copies another number of cells than there are free variables",
                index,
                expected=free,
                found=opargs[index],
            )
    if free and opcodes[first] != copy:
        instructions = subject.instructions
        yield subject.violation(
            CODE,
            "the free variables are not set up first",
            first,
            expected="COPY_FREE_VARS",
            found=None if instructions is None else instructions.opname(first),
        )
    yield from _cells(subject, first + (opcodes[first] == copy))


def _cells(subject: Subject, start: int) -> Iterator[Violation]:
    """Every cell of the code object must be made in the first instructions."""
    opcodes, opargs = subject.opcodes, subject.opargs
    make = subject.rules.opcodes["MAKE_CELL"].code
    made = set()
    for index in range(start, len(opcodes)):
        if opcodes[index] == make:
            made.add(opargs[index])
        elif opcodes[index] != subject.rules.extended_arg:
            break
    names = subject.code.localsplusnames
    for slot, kind in enumerate(subject.code.localspluskinds):
        if kind & FAST_CELL and slot not in made:
            yield subject.violation(
                CODE,
                "a cell is not made in the first instructions",
                expected=f"MAKE_CELL {slot}",
                found=f"none for {ascii(names[slot]) if slot < len(names) else slot}",
            )
