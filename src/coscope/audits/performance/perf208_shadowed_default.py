"""A loop uses an attribute of self that hides a default of the class

    @dataclass
    class Counter:
        seen: int = 0                   # the class has it, and each instance has its own
        def feed(self, values):
            for value in values:
                self.seen += 1          # 33 ns more than without the default

CPython 3.12 and 3.13 specialise an attribute of an instance only if its class has none of that
name. The default of a dataclass's field is a class attribute, and so is `seen = 0` in a class body
above `self.seen = ...` in a method. CPython 3.14 specialises the load (gh-123040) and leaves the
store generic, which PERF001 reports of code that has run; this rule is silent there.
3.10 caches where an instance holds an attribute under the same condition, in functions that were
called 1024 times.

The rule finds a name to which the class body assigns a constant and which methods store, or which
is a field of a dataclass, in each round of a tight loop. A class with a `__getattribute__` or
`__setattr__` in Python is left out: there every access is a call, and the default costs nothing. Of
a class with a base from another file that is not known, so the finding is information, and likely.

Proved, of a class without bases of other files: instances get the attribute, and the class has it.
Assumed: no subclass overrides `__getattribute__`, no other code takes the default away.

Instead: `slots=True`, `field(default_factory=...)`, or an assignment in `__init__`.

Measured: nanoseconds that each operation loses, median on one machine. The builds of 3.8 to 3.13
are without PGO, those of 3.14.10 and 3.15.2 are Debian's, with it.

    CPython     3.8    3.9   3.10   3.11   3.12   3.13   3.14   3.15
    ns          0.1    0.2   10.4     -0   12.8   13.2      0     -0
"""

from __future__ import annotations

from collections.abc import Iterator

from coscope.audits.performance import pairs
from coscope.audits.performance.classes import (
    FOREIGN,
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

CODE = "PERF208"
SEVERITY = "warning"
BEHAVIOUR = "hidden_defaults_cost"
LOOPS = True
TIGHT = True
OPNAMES = frozenset({"LOAD_ATTR", "STORE_ATTR"})

PAIR = pairs.SHADOWED_DEFAULT
DEAREST = pairs.SHADOWED_STORE  # a store loses more
lower_bound = PAIR.lower_bound


def may_find(seen: Glance) -> bool:
    return uses(seen, OPNAMES, seen.defaults(), seen.spans(tight=True), plain=True)


def check(subject: Subject) -> Iterator[Finding]:
    told = set()
    for found in busy_uses_of_self(subject, "LOAD_ATTR", "STORE_ATTR"):
        if found.attribute in told:
            continue
        fact = class_around(subject)
        if fact is None or fact.slots or found.attribute not in plain_attributes(fact):
            continue
        ruled = ruled_by(subject.unit, fact, "__getattribute__", "__setattr__")
        if ruled != OVERRIDDEN and (fact.dataclass or found.attribute in stored_on_self(fact)):
            told.add(found.attribute)
            yield subject.finding(
                CODE,
                f"{found.name}.{found.attribute} hides the default of the class {fact.name}",
                found.at,
                severity="warning" if ruled == KNOWN else "info",
                confidence="proved" if ruled == KNOWN else "likely",
                evidence=[
                    subject.seen(found.at),
                    f"the body of {fact.name} assigns {found.attribute}, instances have their own",
                    *([] if ruled == KNOWN else [FOREIGN.format(fact.name)]),
                ],
                why="here an attribute that the class has too is looked up anew each time",
                instead="slots=True, field(default_factory=...), or an assignment in __init__",
            )
