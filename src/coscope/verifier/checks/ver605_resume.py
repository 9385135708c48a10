"""RESUME is not where control enters the code, or names another way of entering it.

A suspended generator is asked by the RESUME behind its YIELD_VALUE whether it delegates. From 3.15,
watching code (settrace, setprofile, sys.monitoring) is prepared by RESUME: the first
instruction behind those that set up cells and make the generator, and the one after each
YIELD_VALUE. An instruction before it that raises or calls reads monitoring data that are not there
yet. The low bits of its oparg say where it is: 0 at the start, 1 after a yield, 2 in `yield from`,
3 in `await`, 4 in a generator expression before its generator is made.

    RAISE_VARARGS 0         before RESUME: under sys.monitoring the process dies
    RESUME 0
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Container, Iterable, Iterator

from coscope.model import Instructions
from coscope.verifier.report import Violation
from coscope.verifier.subject import Subject

CODE = "VER605"

_BEHIND_YIELDS, _EVERYWHERE = 1, 2  # what a version takes for granted: `resume_checked`
_WHERE = 7  # bits of the oparg that say where it is
_START, _YIELD, _FROM, _AWAIT, _EXPRESSION = range(5)
_SETUP = ("COPY_FREE_VARS", "MAKE_CELL", "EXTENDED_ARG")
_ITERATING = ("LOAD_FAST", "LOAD_FAST_BORROW", "GET_ITER", "GET_AITER")


def check(subject: Subject) -> Iterable[Violation]:
    if subject.rules.numbers.get("resume_checked", 0) not in (_BEHIND_YIELDS, _EVERYWHERE):
        return ()
    instructions = subject.instructions
    if instructions is None or not len(instructions):
        return ()
    return _wrong(subject, instructions)


def _wrong(subject: Subject, instructions: Instructions) -> Iterator[Violation]:
    rows, opcodes, opargs = subject.rules.opcodes, subject.opcodes, subject.opargs
    resume, suspends = rows["RESUME"].code, rows["YIELD_VALUE"].code
    everywhere = subject.rules.numbers["resume_checked"] == _EVERYWHERE
    mask = _WHERE if everywhere else _WHERE >> 1  # to 3.14 the next bit says something else
    expected = dict(_entry(instructions)) if everywhere else {}
    for index in range(len(opcodes)):
        if opcodes[index] == suspends:
            expected[index + 1] = (_FROM, _AWAIT) if opargs[index] else (_YIELD,)
    for index in _handlers(subject, instructions, resume):
        yield subject.violation(
            CODE, "an exception handler starts with RESUME", index, expected="no handler here"
        )
    for index, places in expected.items():
        where = opargs[index] & mask if index < len(opcodes) else None
        if where is None or opcodes[index] != resume:
            yield subject.violation(
                CODE,
                "there is no RESUME where control enters the code",
                min(index, len(opcodes) - 1),
                expected=_shown(places),
                found="the end of the code" if where is None else instructions.opname(index),
            )
        elif where not in places:
            yield subject.violation(
                CODE, "RESUME names another way of entering the code", index,
                expected=_shown(places), found=f"RESUME {where}",
            )  # fmt: skip
    if everywhere:
        yield from _elsewhere(subject, expected, resume)


def _shown(places: Iterable[int]) -> str:
    return "RESUME " + " or ".join(map(str, places))


def _elsewhere(subject: Subject, expected: Container[int], resume: int) -> Iterator[Violation]:
    """RESUME where nothing enters."""
    for index, opcode in enumerate(subject.opcodes):
        if opcode == resume and index not in expected:
            yield subject.violation(
                CODE, "RESUME is where control does not enter the code", index,
                expected="none here", found=f"RESUME {subject.opargs[index]}",
            )  # fmt: skip


def _handlers(subject: Subject, instructions: Instructions, resume: int) -> Iterator[int]:
    """Handlers that start with RESUME, where a line is not expected to start."""
    offsets = instructions.offsets
    for target in sorted(subject.handled) if subject.code.exceptiontable else ():
        index = bisect_left(offsets, target)
        if index < len(offsets) and offsets[index] == target and subject.opcodes[index] == resume:
            yield index


def _entry(instructions: Instructions) -> Iterator[tuple[int, tuple[int, ...]]]:
    """Where a RESUME must be at the start, and which places it may name."""
    at = _past(instructions, 0, _SETUP)
    name = _name(instructions, at)
    if name == "RESUME" and instructions.opargs[at] & _WHERE == _EXPRESSION:
        yield at, (_EXPRESSION,)
        at = _past(instructions, at + 1, _ITERATING)
        if _name(instructions, at) != "RETURN_GENERATOR":
            yield at, (_START,)  # refused: there is another instruction
            return
        name = "RETURN_GENERATOR"
    if name == "RETURN_GENERATOR":
        at += 1
        if _name(instructions, at) == "POP_TOP":
            at += 1
    yield at, (_START,)


def _past(instructions: Instructions, at: int, names: tuple[str, ...]) -> int:
    while _name(instructions, at) in names:
        at += 1
    return at


def _name(instructions: Instructions, at: int) -> str | None:
    return instructions.opname(at) if at < len(instructions) else None
