"""An oparg lies outside the table, or the numbers, that its opcode knows.

BINARY_OP, COMPARE_OP, CALL_INTRINSIC_1 and 2, CONVERT_VALUE, LOAD_SPECIAL and LOAD_COMMON_CONSTANT
take a function or an object from an array by their oparg, without a check. COPY 0 and SWAP 1 reach
above the stack, LIST_APPEND 0 takes the value for the list. SET_FUNCTION_ATTRIBUTE writes to the
field that its one bit names; YIELD_VALUE adds its oparg to the generator's state. Which numbers an
opcode takes is in the opcode tables: `bounds`, and the list that the operand indexes.

    LOAD_FAST 0
    LOAD_FAST 1
    BINARY_OP 200           calls whatever lies behind the table of operators
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import compress

from coscope.verifier.bounds import accepted, bounded_marks, common_pairs
from coscope.verifier.report import Violation
from coscope.verifier.subject import Subject

CODE = "VER204"


def check(subject: Subject) -> Iterable[Violation]:
    version, opcodes = subject.code.version, subject.opcodes
    marked = opcodes.translate(bounded_marks(version))
    pairs = {*compress(zip(opcodes, subject.opargs, strict=True), marked)}
    if pairs.issubset(common_pairs(version)):
        return ()
    return _wrong(subject, marked)


def _wrong(subject: Subject, marked: bytes) -> Iterator[Violation]:
    rules = accepted(subject.code.version)
    for index in compress(range(len(marked)), marked):
        rule = rules[subject.opcodes[index]]
        if rule is None:
            continue
        oparg = subject.opargs[index]
        if oparg >> rule.shift not in rule.indexes:
            yield subject.violation(
                CODE,
                f"the opcode does not know this {rule.what}",
                index,
                expected=rule.words,
                found=oparg >> rule.shift,
            )
