"""The argument counts and flags of the code object do not fit its locals.

A call stores its arguments in the first fast locals, as many as the counts and the flags
CO_VARARGS and CO_VARKEYWORDS say, and looks for keyword arguments among their names. It checks
neither against the number of locals. So the arguments must be locals, positional-only ones
positional, and no count negative or longer than a C int.

    co_argcount = 3, co_nlocals = 1     the third argument is stored behind the locals
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from coscope.model import Code
from coscope.verifier.report import Violation
from coscope.verifier.subject import Subject

CODE = "VER801"

_VARARGS, _VARKEYWORDS = 0x4, 0x8
_INT_MAX = 0x7FFFFFFF


def arguments(code: Code) -> int:
    """Fast locals that a call fills."""
    extra = bool(code.flags & _VARARGS) + bool(code.flags & _VARKEYWORDS)
    return code.argcount + code.kwonlyargcount + extra


def check(subject: Subject) -> Iterable[Violation]:
    code = subject.code
    if (
        0 <= code.posonlyargcount <= code.argcount
        and code.kwonlyargcount >= 0
        and arguments(code) <= code.nlocals <= _INT_MAX
        and 0 <= code.flags <= _INT_MAX
        and -_INT_MAX <= code.firstlineno <= _INT_MAX
    ):
        return ()
    return _wrong(subject, code)


def _wrong(subject: Subject, code: Code) -> Iterator[Violation]:
    counts = ("argcount", "posonlyargcount", "kwonlyargcount", "nlocals", "flags")
    for field in counts:
        value = getattr(code, field)
        if not 0 <= value <= _INT_MAX:
            message = f"co_{field} is negative or longer than a C int"
            yield subject.violation(CODE, message, expected=f"0 to {_INT_MAX}", found=int(value))
    if not -_INT_MAX <= code.firstlineno <= _INT_MAX:
        yield subject.violation(
            CODE,
            "co_firstlineno is longer than a C int",
            expected=f"at most {_INT_MAX}",
            found=code.firstlineno,
        )
    if code.posonlyargcount > code.argcount:
        yield subject.violation(
            CODE,
            "there are more positional-only than positional arguments",
            expected=f"at most {code.argcount}",
            found=code.posonlyargcount,
        )
    if arguments(code) > code.nlocals:
        yield subject.violation(
            CODE,
            "there are more arguments than locals",
            expected=f"at most {code.nlocals}",
            found=arguments(code),
        )
