"""A `functools.partial` is an attribute of a class: what a call passes changes in CPython 3.14.

Up to 3.13 a partial is not a method: called through an instance it is not given the instance. From
3.14 it is one, and gets `self` as first argument after those that it holds; 3.13 warns when it is
called through an instance.

    class Reader:
        number = functools.partial(int, base=16)

    Reader().number("ff")                 255 up to 3.13
                                          int(<Reader>, "ff", base=16): TypeError from 3.14

One finding a class. It is a warning if the file reads such an attribute from an instance, as in
`self.number` or `Reader().number`; else information: read from the class, a partial is the same in
every version. A private name is reported only where the file reads it as an attribute.

Write `staticmethod(functools.partial(...))` for the old meaning, `functools.partialmethod` for the
new one; both are the same in every version.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from coscope.audits.prefilter.glances import Glance, is_class_body
from coscope.audits.subject.names import callee_of
from coscope.audits.subject.subject import Subject, Unit
from coscope.flow.domains.origin import Origins
from coscope.model import Evidence, Finding
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
    found: dict[str, tuple[int, Origins]] = {}
    for index in subject.where("STORE_NAME"):
        value = _stored(subject, index)
        name = str(subject.instructions.argval(index))
        if not value or not value <= made:
            found.pop(name, None)  # another value replaces it
        elif not name.startswith("_") or name in subject.unit.fact(_attributes):
            found[name] = index, value  # a private one may be a decorator for the methods
    if found:
        yield _finding(subject, found, sorted(found.keys() & subject.unit.fact(_of_instances)))


def _finding(
    subject: Subject, found: dict[str, tuple[int, Origins]], read: Sequence[str]
) -> Finding:
    """What is said of one class: its partials, and those that an instance reads."""
    first = read[0] if read else next(iter(found))
    becomes, why = _words(subject.rules.behaves("partials_bind"))
    others = [name for name in found if name != first]
    message = f"the partial {first} {becomes} a method of its class"
    evidence = [subject.seen(found[first][0])]
    if others:
        evidence.append(Evidence(f"the same is true of {', '.join(others)}"))
    if read:
        evidence.append(Evidence(f"an instance reads {', '.join(read)}"))
    return subject.finding(
        CODE,
        message,
        min(found[first][1]),
        severity="warning" if read else "info",
        confidence="likely",
        evidence=evidence,
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
    return frozenset(name for name, _ in unit.fact(_reads))


def _of_instances(unit: Unit) -> frozenset[str]:
    """Those that it reads from what is surely an instance, or most likely."""
    return frozenset(name for name, instance in unit.fact(_reads) if instance)


def _reads(unit: Unit) -> frozenset[tuple[str, bool]]:
    """The names of the attributes that code of the file reads, and whether from an instance."""
    found: set[tuple[str, bool]] = set()
    for code in unit.codes:
        inside = Subject(code, unit)
        for index in inside.where("LOAD_ATTR", "LOAD_METHOD"):
            found.add((str(inside.instructions.argval(index)), _is_of_instance(inside, index)))
    return frozenset(found)


def _is_of_instance(subject: Subject, index: int) -> bool:
    """True for an attribute of the first parameter of a method, or of what a call gives. Not in a
    `try`: there somebody knows what may come of it."""
    taken = subject.takers.get(index)
    if taken is None or not taken[1] or subject.graph is None:
        return False
    if any(edge.kind == "exception" for edge in subject.graph.block_of(index).edges):
        return False
    columns, rows = subject.instructions, subject.rules.by_code
    for at in taken[1][0]:
        row = rows[columns.opcodes[at]] if at >= 0 else None
        if row is None:
            return False
        name = columns.argval(at) if row.access[:1] == ("read local",) else None
        if row.shows != "{call}" and (name is None or name != _instance(subject)):
            return False
    return True


def _instance(subject: Subject) -> str | None:
    """The first parameter of a method that is not one of the class."""
    parent, code = subject.parent, subject.code
    if parent is None or parent.kind != "class body" or not code.argcount:
        return None
    return None if code.varnames[0] in ("cls", "mcs", "mcls") else code.varnames[0]
