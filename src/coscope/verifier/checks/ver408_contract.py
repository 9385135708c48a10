"""A function that only some calls may reach is let go, or is called with something else.

A generator expression's code trusts its argument `.0` to be an iterator, a generic function's
`.defaults` to be a tuple: the compiler calls such a function where it makes it. So a function
with such an argument, or without the closure that it still lacks, may only be completed, called at
once with exactly what it wants, or dropped. It may not be stored, passed on or returned.

The same holds for what the compiler keeps under names of its own: the cell `.type_params` of a
generic class or alias holds a tuple or nothing, and `__conditional_annotations__` (3.14+) is a set.

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
    for name in subject.rules.contract.keys() & set(subject.code.names):
        if name.startswith("."):
            yield subject.violation(
                CODE, "a name of the compiler's own is looked up in a namespace", found=repr(name)
            )
    yield from subject.reported(CODE, "contract")
