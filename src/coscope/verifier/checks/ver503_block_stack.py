"""The block stack is not kept in order (3.8 to 3.10).

To 3.10 SETUP_FINALLY and SETUP_WITH push an entry onto a stack of 20 blocks in the frame, POP_BLOCK
and POP_EXCEPT take one off. Neither end of that stack is checked: POP_BLOCK on an empty one reads
in front of it. So paths that meet must have the same blocks open, and none may be closed that
was not opened.

    POP_BLOCK               no block is open
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator

from coscope.errors import CodeError, StackError
from coscope.flow.regions import find_regions
from coscope.verifier.report import Violation
from coscope.verifier.subject import Subject

CODE = "VER503"


def check(subject: Subject) -> Iterable[Violation]:
    if not subject.structural or subject.graph is not None or not subject.opcodes:
        return ()
    return _wrong(subject)


def _wrong(subject: Subject) -> Iterator[Violation]:
    instructions = subject.instructions
    if instructions is None:
        return
    try:
        find_regions(subject.code)
    except StackError:
        return  # a matter of depth
    except CodeError as error:
        yield subject.violation(
            CODE,
            error.what,
            bisect_left(instructions.offsets, error.offset or 0),
            expected="the blocks that were opened, in order",
            found=error.found,
        )
