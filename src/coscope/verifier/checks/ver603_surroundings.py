"""An instruction is in a code object of the wrong kind.

YIELD_VALUE takes its frame for a part of a generator: in a plain function it writes to
memory that is not there. ASYNC_GEN_WRAP makes a value for an async generator, which alone unwraps
it. LOAD_CLASSDEREF and `import *` take the frame's mapping of locals, which is NULL in a
function (CO_OPTIMIZED). What an opcode or intrinsic function needs is in the opcode tables:
`needs`.

    RESUME 0                an ordinary function
    LOAD_CONST 0 (None)
    YIELD_VALUE             writes gi_frame_state in front of the frame
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache

from coscope.opcodes import table
from coscope.opcodes.schema import Opcode
from coscope.verifier.report import Violation
from coscope.verifier.subject import Subject

CODE = "VER603"

_OPTIMIZED, _KINDS, _ASYNC = 0x1, 0x2A0, 0x200
_RELEVANT = _OPTIMIZED | _KINDS
_WORDS = {
    "generator": ("a generator, coroutine or async generator", "a plain function"),
    "async generator": ("an async generator", "another code object"),
    "locals": ("code that has a mapping of its locals", "a function (CO_OPTIMIZED)"),
}


def check(subject: Subject) -> Iterable[Violation]:
    harmless = _harmless(subject.code.version, subject.code.flags & _RELEVANT)
    if not subject.opcodes.translate(None, harmless):
        return ()
    return _wrong(subject)


def _met(need: str | None, flags: int) -> bool:
    if need == "generator":
        return bool(flags & _KINDS)
    if need == "async generator":
        return bool(flags & _ASYNC)
    return need is None or not flags & _OPTIMIZED


@cache
def _harmless(version: str, flags: int) -> bytes:
    """Opcodes that need nothing, or nothing that these flags do not give."""
    rules = table(version)
    return bytes(
        opcode
        for opcode, row in enumerate(rules.by_code)
        if row is None or (_met(row.needs, flags) and not row.operand.startswith("intrinsic"))
    )


def _wrong(subject: Subject) -> Iterator[Violation]:
    flags = subject.code.flags
    for index, opcode in enumerate(subject.opcodes):
        row = subject.rules.by_code[opcode]
        if row is None:
            continue
        name, need = _need(subject, row, index)
        if need is not None and not _met(need, flags):
            expected, found = _WORDS[need]
            yield subject.violation(
                CODE,
                f"{name} is in the wrong kind of code object",
                index,
                expected=expected,
                found=found,
            )


def _need(subject: Subject, row: Opcode, index: int) -> tuple[str, str | None]:
    """The name to report, and what it needs."""
    if not row.operand.startswith("intrinsic"):
        return row.name, row.needs
    names = subject.rules.lists[row.operand.replace(" ", "_")]
    oparg = subject.opargs[index]
    name = names[oparg] if 0 <= oparg < len(names) else row.name
    intrinsic = subject.rules.intrinsics.get(name)
    return name, None if intrinsic is None else intrinsic.needs
