"""Something that must be a string is none, or a nested code object is of another version.

`_PyCode_Validate` looks at the types of the fields, not at their items; the macros that read names
(`PyUnicode_READ`, `PyTuple_GET_ITEM`) look at nothing. A nested code object of another version has
other opcodes by the same numbers. What is read from files has the right types; code objects that
were changed, or made by hand, need not.

    co_names = (5,)         LOAD_NAME 0 takes an int for a string
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from coscope.model import Code
from coscope.verifier.report import Violation
from coscope.verifier.subject import Subject

CODE = "VER806"

_STRINGS = frozenset({str})
_TUPLES = ("names", "localsplusnames")  # the others are parts of the second


def check(subject: Subject) -> Iterable[Violation]:
    code = subject.code
    if (
        {*map(type, code.names), *map(type, code.localsplusnames)} <= _STRINGS
        and type(code.name) is type(code.qualname) is type(code.filename) is str
        and Code not in map(type, code.consts)
    ):
        return ()
    return _wrong(subject, code)


def _wrong(subject: Subject, code: Code) -> Iterator[Violation]:
    for field in ("name", "qualname", "filename"):
        value = getattr(code, field)
        if type(value) is not str:
            yield subject.violation(
                CODE, f"co_{field} is no string", expected="str", found=type(value).__name__
            )
    for field in _TUPLES:
        for item in getattr(code, field):
            if type(item) is not str:
                yield subject.violation(
                    CODE,
                    f"co_{field} holds something else than strings",
                    expected="str",
                    found=type(item).__name__,
                )
    for constant in code.consts:
        if type(constant) is Code and constant.version != code.version:
            yield subject.violation(
                CODE,
                "a nested code object is of another version",
                expected=code.version,
                found=constant.version,
            )
