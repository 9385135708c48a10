"""A jump leads out of the code, into an instruction, or behind its EXTENDED_ARG prefix.

The interpreter adds the distance to the address of the next instruction and goes on there. Outside
the code it runs whatever lies in memory. In an inline cache, or behind a prefix, it runs other
instructions than those that are written down, with an oparg that nobody checked.

    0 RESUME 0
    2 JUMP_FORWARD 100 (to 204)     the code has 8 bytes
    4 LOAD_CONST 0 (None)
    6 RETURN_VALUE
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache

from coscope.model import Instructions
from coscope.opcodes import table
from coscope.verifier.report import Violation
from coscope.verifier.subject import Subject

CODE = "VER104"


def check(subject: Subject) -> Iterable[Violation]:
    # A graph can be built only if every jump leads to an instruction; a jump source is no jump.
    if subject.graph is not None and not _has_source(subject):
        return ()
    instructions = subject.instructions
    return () if instructions is None else _wrong(subject, instructions)


def _has_source(subject: Subject) -> bool:
    source = _opcodes(subject.code.version)[1]
    return source is not None and source in subject.opcodes


@cache
def _opcodes(version: str) -> tuple[bytes, int | None]:
    """The opcodes with a target; and the one whose oparg says where a jump came from."""
    rows = [row for row in table(version).by_code if row is not None and row.form == "base"]
    source = next((row.code for row in rows if row.operand == "jump source"), None)
    jumps = bytes(row.code for row in rows if row.jump is not None or row.code == source)
    return jumps, source


def _wrong(subject: Subject, instructions: Instructions) -> Iterator[Violation]:
    jumps, source = _opcodes(subject.code.version)
    starts = subject.starts
    for index, opcode in enumerate(subject.opcodes):
        if opcode not in jumps:
            continue
        target = instructions.jump_target(index)
        if target in starts:
            continue
        what = "jump source" if opcode == source else "jump"
        size = len(subject.code.code)
        if target is None or not 0 <= target < size:
            expected = f"an offset in 0 to {size - 2}"
        else:
            expected = "the start of an instruction"
        yield subject.violation(
            CODE, f"the {what} leads to no instruction", index, expected=expected, found=target
        )
