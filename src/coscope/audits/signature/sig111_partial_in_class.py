"""A `functools.partial` is an attribute of a class: what a call passes changes in CPython 3.14.

Up to 3.13 a partial is no method: called through an instance it is not given the instance. From
3.14 it is one, and gets `self` as first argument after those that it holds; 3.13 warns when it is
called through an instance.

    class Reader:
        number = functools.partial(int, base=16)

    Reader().number("ff")                 255 up to 3.13
                                          int(<Reader>, "ff", base=16): TypeError from 3.14

Write `staticmethod(functools.partial(...))` for the old meaning, `functools.partialmethod` for the
new one; both are the same in every version.
"""

from __future__ import annotations

from collections.abc import Iterator

from coscope.audits.facts import Subject
from coscope.audits.facts_names import callee_of
from coscope.audits.selection import holds_for
from coscope.model import Finding

CODE = "SIG111"
SEVERITY = "warning"
NAMES = frozenset({"partial"})


def check(subject: Subject) -> Iterator[Finding]:
    if subject.code.kind != "class body":
        return
    made = {call.index for call in subject.calls if callee_of(subject, call) == "functools.partial"}
    for index in subject.where("STORE_NAME"):
        taken = subject.takers.get(index)
        if taken is None or not taken[1] or not taken[1][0] or not taken[1][0] <= made:
            continue
        name = subject.instructions.argval(index)
        binds = holds_for("3.14-", subject.version)
        yield subject.finding(
            CODE,
            f"the partial {name} {'is' if binds else 'becomes, in 3.14,'} a method of its class",
            min(taken[1][0]),
            confidence="likely",
            evidence=[subject.seen(index)],
            why="through an instance it gets self as an argument"
            if binds
            else "from 3.14 on it gets self as an argument when it is called through an instance",
            instead="staticmethod(functools.partial(...)), or functools.partialmethod",
        )
