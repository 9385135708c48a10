"""An instruction is not followed by the one that it works with.

Some instructions leave something for the next one outside the stack. KW_NAMES (3.11, 3.12) sets
the names of keyword arguments for the CALL that follows; any other instruction between may use
them for a call of its own. A specialised PRECALL (3.11) makes the call and steps over the CALL,
without a look at what it steps over. CALL counts the names off the end of its arguments: more
names than arguments reach below them. Which instruction must follow is in the opcode tables:
`next`.

    PUSH_NULL
    LOAD_NAME 0 (f)
    KW_NAMES 0 (("a", "b"))
    CALL 1                  two names, one argument
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache

from coscope.opcodes import table
from coscope.verifier.report import Violation
from coscope.verifier.subject import Subject

CODE = "VER701"


def check(subject: Subject) -> Iterable[Violation]:
    if not subject.opcodes.translate(None, _alone(subject.code.version)):
        return ()
    return _wrong(subject)


@cache
def _alone(version: str) -> bytes:
    """Opcodes that any other may follow."""
    rows = table(version).by_code
    return bytes(opcode for opcode, row in enumerate(rows) if row is None or not row.next)


def _wrong(subject: Subject) -> Iterator[Violation]:
    rows, opcodes, opargs = subject.rules.by_code, subject.opcodes, subject.opargs
    for index, opcode in enumerate(opcodes):
        row = rows[opcode]
        if row is None or not row.next:
            continue
        # No prefix may come between: what is skipped is the next code unit.
        after = index + 1
        following = rows[opcodes[after]] if after < len(opcodes) else None
        if following is None or following.name not in row.next:
            yield subject.violation(
                CODE,
                f"{row.name} is not followed by the instruction that it works with",
                index,
                expected=" or ".join(row.next),
                found=_name(subject, after),
            )
        elif row.operand == "count" and opargs[index] != opargs[after]:
            yield subject.violation(
                CODE,
                f"{following.name} has another oparg than its {row.name}",
                after,
                expected=opargs[index],
                found=opargs[after],
            )
        elif row.operand == "const names":
            yield from _names(subject, index, opargs[after])


def _name(subject: Subject, index: int) -> str:
    instructions = subject.instructions
    if instructions is None or index >= len(instructions):
        return "the end of the code"
    return instructions.opname(index)


def _names(subject: Subject, index: int, arguments: int) -> Iterator[Violation]:
    consts, oparg = subject.code.consts, subject.opargs[index]
    if not 0 <= oparg < len(consts):
        return  # VER201 reports it
    names = consts[oparg]
    if type(names) is not tuple or any(type(name) is not str for name in names):
        yield subject.violation(
            CODE,
            "the names of keyword arguments are no tuple of strings",
            index,
            expected="a tuple of str",
            found=type(names).__name__,
        )
    elif len(names) > arguments:
        yield subject.violation(
            CODE,
            "there are more names than arguments",
            index,
            expected=f"at most {arguments}",
            found=len(names),
        )
