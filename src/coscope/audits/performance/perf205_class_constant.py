"""A constant of the class is read through self in a loop

    class Grid:
        WIDTH = 80
        def fill(self, n):
            for row in range(n):
                line = row * self.WIDTH     # generic on 3.11 and 3.12

CPython 3.11 and 3.12 do not specialise the load of a class attribute through an instance. 3.13
does.

The rule finds a name to which the class body assigns a constant and which no method stores.

Proved, of a class without bases of other files: its body assigns the constant, no method stores it.
Assumed: no subclass and no other code gives instances their own.

Instead: a local variable that is assigned before the loop, or a constant of the module.

Measured: nanoseconds that each operation loses, median on one machine. The builds of 3.8 to 3.13
are without PGO, those of 3.14.10 and 3.15.2 are Debian's, with it.

    CPython     3.8    3.9   3.10   3.11   3.12   3.13   3.14   3.15
    ns          8.5    9.6   14.1   15.1   16.1    3.2    1.5    1.1
"""

from __future__ import annotations

from collections.abc import Iterator

from coscope.audits.calibration import Pair
from coscope.audits.performance.classes import (
    KNOWN,
    OVERRIDDEN,
    class_around,
    plain_attributes,
    ruled_by,
    stored_on_self,
)
from coscope.audits.performance.many import busy_uses_of_self
from coscope.audits.prefilter.glances import Glance, uses
from coscope.audits.subject.subject import Subject
from coscope.model import Finding

CODE = "PERF205"
SEVERITY = "info"
BEHAVIOUR = "instance_constants_stay_generic"
LOOPS = True
TIGHT = True
OPNAMES = frozenset({"LOAD_ATTR"})

_SETUP = """\
class C:
    x = 1
o = C()
"""
PAIR = Pair("o.x", "x", _SETUP, "x = o.x")
lower_bound = PAIR.lower_bound


def may_find(seen: Glance) -> bool:
    return uses(seen, ("LOAD_ATTR",), seen.defaults(), seen.spans(tight=True), plain=True)


def check(subject: Subject) -> Iterator[Finding]:
    told = set()
    for found in busy_uses_of_self(subject, "LOAD_ATTR"):
        if found.attribute in told:
            continue
        fact = class_around(subject)
        if fact is None or fact.dataclass:  # its fields are in the instances
            continue
        if found.attribute not in plain_attributes(fact) - stored_on_self(fact):
            continue
        ruled = ruled_by(subject.unit, fact, "__getattribute__")
        if ruled == OVERRIDDEN:
            continue  # each access is a call of that
        told.add(found.attribute)
        yield subject.finding(
            CODE,
            f"{found.name}.{found.attribute} is a constant of the class {fact.name}, "
            "read in each round",
            found.at,
            confidence="proved" if ruled == KNOWN else "likely",
            evidence=[subject.seen(found.at)],
            why=f"CPython {subject.version} has no specialised form for it",
            instead=f"a local variable that holds {found.name}.{found.attribute}, before the loop",
        )
