"""An opcode that this version does not define, or that only the interpreter writes.

The interpreter jumps through a table by opcode number. A number without an entry ends in
"unknown opcode", in a build without that check anywhere. Specialised opcodes trust what the
interpreter found when it wrote them: their inline cache holds type versions and pointers.
Instrumented ones read monitoring data that a code object has only after the interpreter made it;
INSTRUMENTED_LINE kills 3.12 and 3.13 while the bytes are still being loaded. `co_code` shows
none of this: its getter puts the base opcodes back.

    RESUME 0
    LOAD_FAST 0 (x)
    LOAD_ATTR_SLOT 0 (a)    reads x at the offset that the cache holds
    RETURN_VALUE
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache

from coscope.opcodes import table
from coscope.verifier.report import Violation
from coscope.verifier.subject import Subject

CODE = "VER101"


def check(subject: Subject) -> Iterable[Violation]:
    if not subject.opcodes.translate(None, _emitted(subject.code.version)):
        return ()
    return _wrong(subject)


@cache
def _emitted(version: str) -> bytes:
    """The opcodes that compilers of the version write."""
    rows = table(version).by_code
    return bytes(
        opcode for opcode, row in enumerate(rows) if row is not None and row.form == "base"
    )


def _wrong(subject: Subject) -> Iterator[Violation]:
    emitted = _emitted(subject.code.version)
    rows = subject.rules.by_code
    for index, opcode in enumerate(subject.opcodes):
        if opcode in emitted:
            continue
        row = rows[opcode]
        if row is None:
            message, found = "this version has no such opcode", f"opcode {opcode}"
        else:
            message, found = f"only the interpreter writes this {row.form} opcode", row.name
        expected = "an opcode that compilers write" if row is None or not row.base else row.base
        yield subject.violation(CODE, message, index, expected=expected, found=found)
