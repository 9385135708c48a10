"""A `functools.partial` is an attribute of a class: what a call passes changes in CPython 3.14.

Up to 3.13 a partial is no method: called through an instance it is not given the instance. From
3.14 it is one, and gets `self` as first argument after those that it holds; 3.13 warns when it is
called through an instance.

    class Reader:
        number = functools.partial(int, base=16)

    Reader().number("ff")                 255 up to 3.13
                                          int(<Reader>, "ff", base=16): TypeError from 3.14

A private name is told only where the file reads it as an attribute.

Write `staticmethod(functools.partial(...))` for the old meaning, `functools.partialmethod` for the
new one; both are the same in every version.
"""

from __future__ import annotations

from collections.abc import Iterator

from coscope.audits.prefilter.glances import Glance, is_class_body
from coscope.audits.subject.names import callee_of
from coscope.audits.subject.subject import Subject, Unit
from coscope.model import Finding
from coscope.opcodes import first_with

CODE = "SIG111"
SEVERITY = "warning"
NAMES = frozenset({"partial"})


def may_find(seen: Glance) -> bool:
    return is_class_body(seen.code)


def check(subject: Subject) -> Iterator[Finding]:
    if subject.code.kind != "class body":
        return
    made = {call.index for call in subject.calls if callee_of(subject, call) == "functools.partial"}
    for index in subject.where("STORE_NAME"):
        taken = subject.takers.get(index)
        if taken is None or not taken[1] or not taken[1][0] or not taken[1][0] <= made:
            continue
        name = str(subject.instructions.argval(index))
        if name.startswith("_") and name not in subject.unit.fact(_attributes):
            continue  # such as a decorator for the methods of the class
        binds = subject.rules.behaves("partials_bind")
        first = first_with("partials_bind")
        becomes = "is" if binds else f"becomes, in {first},"
        yield subject.finding(
            CODE,
            f"the partial {name} {becomes} a method of its class",
            min(taken[1][0]),
            confidence="likely",
            evidence=[subject.seen(index)],
            why="through an instance it gets self as an argument"
            if binds
            else f"from {first} on it gets self as an argument when called through an instance",
            instead="staticmethod(functools.partial(...)), or functools.partialmethod",
        )


def _attributes(unit: Unit) -> frozenset[str]:
    """The names that code of the file reads as attributes."""
    found: set[str] = set()
    for code in unit.code.walk() if unit.code is not None else ():
        inside = Subject(code, unit)
        for index in inside.where("LOAD_ATTR", "LOAD_METHOD"):
            found.add(str(inside.instructions.argval(index)))
    return frozenset(found)
