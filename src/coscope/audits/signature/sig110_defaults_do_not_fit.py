"""Defaults or cells that do not fit the code.

`__defaults__` are of the last positional parameters, `__kwdefaults__` of keyword-only ones.
Nothing checks that when they, or `__code__`, are assigned: with more defaults than positional
parameters the first ones are of no parameter, a keyword default of another name is never used, and
`inspect.signature` shows a signature that the code does not have, or raises IndexError.

    def area(width, height): ...
    area.__defaults__ = (1, 2, 3)         three defaults for two parameters
    area.__kwdefaults__ = {"unit": "m"}   there is no such parameter

A closure has a cell for each free variable of the code. The interpreter asks for that when
`__code__` is assigned and never again: what changes a function by other means can break it.

Proved: the numbers and names of the live function's defaults and cells do not fit its code.

Assign as many defaults as the code has parameters.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sized
from types import CodeType

from coscope.audits.subject.subject import Subject
from coscope.model import Finding
from coscope.readers.values import text_of

CODE = "SIG110"
SEVERITY = "warning"
LIVE = True


def check(subject: Subject) -> Iterator[Finding]:
    live = subject.live
    if live is None or live.function is None:
        return
    function = live.function
    code = function.__code__
    yield from _positional(subject, code, function.__defaults__ or ())
    yield from _keyword_only(subject, code, function.__kwdefaults__ or {})
    yield from _cells(subject, code, function.__closure__ or ())


def _positional(subject: Subject, code: CodeType, held: Sized) -> Iterator[Finding]:
    if len(held) > code.co_argcount:
        yield subject.finding(
            CODE,
            "there are more defaults than positional parameters",
            confidence="proved",
            evidence=[
                f"__defaults__ is {text_of(held)}",
                f"the positional parameters: {_names(code.co_varnames[: code.co_argcount])}",
            ],
            why="the first of them are of no parameter, and inspect.signature misreads the rest",
            instead="assign as many defaults as the code has parameters",
        )


def _keyword_only(subject: Subject, code: CodeType, named: Iterable[str]) -> Iterator[Finding]:
    only = code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]
    strange = [name for name in named if name not in only]
    if strange:
        yield subject.finding(
            CODE,
            "there are keyword defaults of no keyword-only parameter",
            confidence="proved",
            evidence=[
                f"__kwdefaults__ has {_names(map(str, strange))}",
                f"keyword-only parameters: {_names(only)}",
            ],
            why="the interpreter never uses them",
            instead="take them away, or give the code the parameters",
        )


def _cells(subject: Subject, code: CodeType, cells: Sized) -> Iterator[Finding]:
    if len(cells) != len(code.co_freevars):
        yield subject.finding(
            CODE,
            f"the closure has {len(cells)} cells, the code {len(code.co_freevars)} free variables",
            severity="error",
            confidence="proved",
            evidence=[f"co_freevars: {_names(code.co_freevars)}"],
            why="the interpreter copies as many cells as the code says, and reads past the closure",
            instead="make the function by its def, or by coscope.patch",
        )


def _names(names: Iterable[str]) -> str:
    return ", ".join(names) or "none"
