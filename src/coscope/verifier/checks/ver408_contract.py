"""A function that only some calls may reach is let go, or is called with something else.

A generator expression's code trusts its argument `.0` to be an iterator, a generic function's
`.defaults` to be a tuple: the compiler calls such a function where it makes it. So a function
with such an argument, or without the closure that it still lacks, may only be completed, called at
once with exactly what it wants, or dropped. It may not be stored, passed on or returned.

The same holds for cells of the compiler's own: `.type_params` of a generic class or alias holds a
tuple or nothing, and no other name may reach it.

    LOAD_CONST <code of <genexpr>>
    MAKE_FUNCTION
    LOAD_CONST 5
    CALL 0              5 is no iterator
"""

from __future__ import annotations

from collections.abc import Iterator

from coscope.verifier.report import Violation
from coscope.verifier.subject import Subject

CODE = "VER408"


def check(subject: Subject) -> Iterator[Violation]:
    contract = subject.rules.contract
    if not contract.keys().isdisjoint(subject.code.names):
        for name in contract.keys() & set(subject.code.names):
            yield subject.violation(
                CODE, "a name of the compiler's own is used as a name", found=repr(name)
            )
    yield from subject.reported(CODE, "contract")
