"""Functions of one code object are made with different numbers of defaults.

In 3.12 a function's version is that of its code object, and a specialised call trusts it: a call
that was specialised for a function with defaults reads those of another function of the same code
object, which may have fewer, or none (`CALL_PY_WITH_DEFAULTS`).

With `-X no_debug_ranges` the compiler itself merges the code objects of two functions on one line
that differ only in their defaults, as in `f, g = lambda a=0: a, lambda a: a`, and CPython dies.
Such code objects have no columns in their line tables; they are accepted.

    LOAD_CONST (0, 0)
    LOAD_CONST <code h>
    MAKE_FUNCTION 1
    LOAD_CONST <code h>
    MAKE_FUNCTION 0         the same code object, without defaults
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from coscope.codec.lines import decode_rows
from coscope.errors import CodeError
from coscope.flow.effects import effect_of
from coscope.flow.frames import Frames
from coscope.model import Code
from coscope.opcodes import kinds
from coscope.verifier.report import Violation
from coscope.verifier.subject import Subject

CODE = "VER413"

_DEFAULTS = 1  # of MAKE_FUNCTION


def check(subject: Subject) -> Iterable[Violation]:
    if not subject.rules.numbers.get("defaults_by_version", 0):
        return ()
    if subject.opcodes.count(subject.rules.opcodes["MAKE_FUNCTION"].code) < 2:
        return ()
    if subject.frames is None:
        return ()
    return _wrong(subject, subject.frames)


def _makings(subject: Subject, frames: Frames[int]) -> Iterator[tuple[int, Code, tuple[int, ...]]]:
    """Each MAKE_FUNCTION of a code constant: its index, the constant, and the stack before it."""
    consts, make = subject.code.consts, subject.rules.opcodes["MAKE_FUNCTION"].code
    for index, opcode in enumerate(subject.opcodes):
        frame = frames[index] if opcode == make else None
        if not frame:
            continue
        at = kinds.parameter(frame[-1])
        nested = consts[at] if at is not None and at < len(consts) else None
        if isinstance(nested, Code):
            yield index, nested, tuple(frame)


def _wrong(subject: Subject, frames: Frames[int]) -> Iterator[Violation]:
    made: dict[int, list[tuple[int, int | None]]] = {}  # by id() of a code object: where, defaults
    for index, nested, frame in _makings(subject, frames):
        if _has_columns(nested):
            made.setdefault(id(nested), []).append((index, _defaults(subject, index, frame)))
    for places in made.values():
        counts = {count for _, count in places}
        if len(places) > 1 and (len(counts) > 1 or None in counts):
            yield subject.violation(
                CODE,
                "a code object is made into functions with different defaults",
                places[-1][0],
                expected="as many each time",
                found=" and ".join("unknown" if n is None else str(n) for _, n in places),
            )


def _defaults(subject: Subject, index: int, stack: tuple[int, ...]) -> int | None:
    """How many defaults a function gets; None if that is not known."""
    oparg = subject.opargs[index]
    if not oparg & _DEFAULTS:
        return 0
    effect = effect_of(subject.code.version, subject.opcodes[index], oparg, False)
    operands = stack[len(stack) - effect.popped :]
    kind = effect.operand(operands, "defaults")[0]
    known = not kind & kinds.ATOMS & ~(kinds.TUPLE | kinds.NAMES)
    return kinds.parameter(kind) if known else None


def _has_columns(code: Code) -> bool:
    try:
        return any(row[2] is not None for row in decode_rows(code))
    except CodeError:
        return True
