"""A field or a name has another type than CPython expects, or a nested code object another version.

`_PyCode_Validate` looks at the types of the fields, not at their items; the macros that read names
(`PyUnicode_READ`, `PyTuple_GET_ITEM`) look at nothing. A nested code object of another version has
other opcodes by the same numbers. What is read from files has the right types; code objects that
were changed, or made by hand, need not. A subclass is refused too: it may compare as it likes.

    co_names = (5,)         LOAD_NAME 0 takes an int for a string
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from coscope.model import Code
from coscope.verifier.fields import inexact_fields
from coscope.verifier.report import Violation
from coscope.verifier.subject import Subject

CODE = "VER806"


def check(subject: Subject) -> Iterable[Violation]:
    if subject.exact and Code not in map(type, subject.code.consts):
        return ()
    return _wrong(subject, subject.code)


def _wrong(subject: Subject, code: Code) -> Iterator[Violation]:
    if not subject.exact:
        for field, expected, found in inexact_fields(code):
            yield subject.violation(
                CODE,
                f"co_{field} has another type" if expected != "only strings"
                else f"co_{field} holds something other than strings",
                expected=expected,
                found=found,
            )  # fmt: skip
        return
    for constant in code.consts:
        if type(constant) is Code and constant.version != code.version:
            yield subject.violation(
                CODE,
                "a nested code object is of another version",
                expected=code.version,
                found=constant.version,
            )
