"""EXTENDED_ARG comes last, four times in a row, adds nothing, or makes more than 31 bits.

Each prefix shifts the oparg by 8 bits, in a C int: the fourth pushes bits out, and three with a
high first byte make it negative, an index below the start of every array. A prefix at the end of
the code takes the opcode that it extends from the memory behind. A first prefix of zero adds
nothing: no compiler writes one, and from 3.12 the interpreter assumes that there is none
(a debug build stops).

    EXTENDED_ARG 0x80
    EXTENDED_ARG 0
    EXTENDED_ARG 0
    LOAD_CONST 0            constant -2147483648
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from coscope.verifier.report import Violation
from coscope.verifier.subject import Subject

CODE = "VER103"

_PREFIXES = 3


def check(subject: Subject) -> Iterable[Violation]:
    if subject.rules.extended_arg not in subject.opcodes:
        return ()
    return _wrong(subject)


def _wrong(subject: Subject) -> Iterator[Violation]:
    prefix = subject.rules.extended_arg
    opcodes, opargs = subject.opcodes, subject.opargs
    row = 0  # prefixes in a row
    for index, opcode in enumerate(opcodes):
        if opcode == prefix:
            row += 1
            if row == 1 and not opargs[index] and not subject.structural:
                yield subject.violation(
                    CODE, "a first EXTENDED_ARG prefix adds nothing", index,
                    expected="1 to 255", found=0,
                )  # fmt: skip
            if row == _PREFIXES + 1:
                yield subject.violation(
                    CODE,
                    "too many EXTENDED_ARG prefixes in a row",
                    index,
                    expected=f"at most {_PREFIXES}",
                    found="one more",
                )
            continue
        if row and opargs[index] < 0:
            yield subject.violation(
                CODE,
                "the oparg has more than 31 bits",
                index,
                expected="0 to 2147483647",
                found=opargs[index],
            )
        row = 0
    if row:
        yield subject.violation(
            CODE,
            "the code ends behind an EXTENDED_ARG prefix",
            len(opcodes) - 1,
            expected="the instruction that it extends",
            found="the end of the code",
        )
