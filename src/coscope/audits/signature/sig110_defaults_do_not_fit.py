"""Defaults that do not fit the parameters of the code.

`__defaults__` are of the last positional parameters, `__kwdefaults__` of keyword-only ones.
Nothing checks that when they, or `__code__`, are assigned: with more defaults than positional
parameters the first ones are of no parameter, a keyword default of another name is never used, and
`inspect.signature` shows a signature that the code does not have, or raises IndexError.

    def area(width, height): ...
    area.__defaults__ = (1, 2, 3)         three defaults for two parameters
    area.__kwdefaults__ = {"unit": "m"}   there is no such parameter

Assign as many defaults as the code has parameters.
"""

from __future__ import annotations

from collections.abc import Iterator

from coscope.audits.facts import Subject
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
    held, named = function.__defaults__ or (), function.__kwdefaults__ or {}
    if len(held) > code.co_argcount:
        yield subject.finding(
            CODE,
            f"there are {len(held)} defaults for {code.co_argcount} positional parameters",
            confidence="proved",
            evidence=[f"__defaults__ is {text_of(held)}"],
            why="the first of them are of no parameter, and inspect.signature misreads the rest",
            instead="assign as many defaults as the code has parameters",
        )
    only = code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]
    strange = [name for name in named if name not in only]
    if strange:
        yield subject.finding(
            CODE,
            f"the keyword default {', '.join(map(str, strange))} is of no keyword-only parameter",
            confidence="proved",
            evidence=[f"keyword-only parameters: {', '.join(only) or 'none'}"],
            why="the interpreter never uses it",
            instead="take it away, or give the code the parameter",
        )
