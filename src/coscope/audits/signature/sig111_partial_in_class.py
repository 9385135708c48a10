"""A `functools.partial` is an attribute of a class: what a call passes changes in CPython 3.14.

Up to 3.13 a partial is not a method: called through an instance it is not given the instance. From
3.14 it is one, and gets `self` as first argument after those that it holds; 3.13 warns when it is
called through an instance.

    class Reader:
        number = functools.partial(int, base=16)

    Reader().number("ff")                 255 up to 3.13
                                          int(<Reader>, "ff", base=16): TypeError from 3.14

A private name is reported only where the file reads it as an attribute.

Write `staticmethod(functools.partial(...))` for the old meaning, `functools.partialmethod` for the
new one; both are the same in every version.
"""

from __future__ import annotations

from collections.abc import Iterator

from coscope.audits.prefilter.glances import Glance, is_class_body
from coscope.audits.subject.names import callee_of
from coscope.audits.subject.subject import Subject, Unit
from coscope.flow.domains.origin import Origins
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
        value = _stored(subject, index)
        if not value or not value <= made:
            continue
        name = str(subject.instructions.argval(index))
        if name.startswith("_") and name not in subject.unit.fact(_attributes):
            continue  # such as a decorator for the methods of the class
        becomes, why = _words(subject.rules.behaves("partials_bind"))
        yield subject.finding(
            CODE,
            f"the partial {name} {becomes} a method of its class",
            min(value),
            confidence="likely",
            evidence=[subject.seen(index)],
            why=why,
            instead="staticmethod(functools.partial(...)), or functools.partialmethod",
        )


def _stored(subject: Subject, index: int) -> Origins:
    """What made the value that an instruction stores; empty if that is not known."""
    taken = subject.takers.get(index)
    return taken[1][0] if taken is not None and taken[1] else frozenset()


def _words(binds: bool) -> tuple[str, str]:
    """The verb of the message and the reason: it is so, or will be in a later version."""
    if binds:
        return "is", "through an instance it gets self as an argument"
    first = first_with("partials_bind")
    why = f"from {first} on it gets self as an argument when called through an instance"
    return f"becomes, in {first},", why


def _attributes(unit: Unit) -> frozenset[str]:
    """The names that code of the file reads as attributes."""
    found: set[str] = set()
    for code in unit.code.walk() if unit.code is not None else ():
        inside = Subject(code, unit)
        for index in inside.where("LOAD_ATTR", "LOAD_METHOD"):
            found.add(str(inside.instructions.argval(index)))
    return frozenset(found)
