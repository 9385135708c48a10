"""A loop uses an attribute of self that hides a default of the class

    @dataclass
    class Counter:
        seen: int = 0                   # the class has it, and each instance has its own
        def feed(self, values):
            for value in values:
                self.seen += 1          # 33 ns more than without the default

CPython 3.12 and 3.13 specialise an attribute of an instance only if its class has none of that
name. The default of a dataclass's field is a class attribute, and so is `seen = 0` in a class body
above `self.seen = ...` in a method. CPython 3.14 mends it (gh-123040).

The rule tells a name to which the class body assigns a constant and which methods store, or which
is a field of a dataclass, in each round of a tight loop.

Instead: `slots=True`, `field(default_factory=...)`, or an assignment in `__init__`.
"""

from __future__ import annotations

from collections.abc import Iterator

from coscope.audits.calibration import Pair
from coscope.audits.facts import Subject
from coscope.audits.performance.classes import class_around, plain_attributes, stored_on_self
from coscope.audits.performance.hot import accesses, first_parameter, tight_loop
from coscope.model import Finding

CODE = "PERF208"
SEVERITY = "warning"
VERSIONS = "3.12-3.13"
LOOPS = True
OPNAMES = frozenset({"LOAD_ATTR", "STORE_ATTR"})

_SETUP = """\
class Hidden:
    x = 0
    def __init__(self): self.x = 1
class Plain:
    def __init__(self): self.x = 1
hidden, plain = Hidden(), Plain()
"""
PAIR = Pair("o.x", "p.x", _SETUP, "o, p = hidden, plain")
lower_bound = PAIR.lower_bound


def check(subject: Subject) -> Iterator[Finding]:
    own = first_parameter(subject)
    parent = subject.parent
    if own is None or parent is None:
        return
    told = set()
    for found in accesses(subject, "LOAD_ATTR", "STORE_ATTR"):
        if found.name != own or found.attribute in told or found.attribute not in parent.names:
            continue
        if tight_loop(subject, found.at) is None:
            continue
        fact = class_around(subject)
        if fact is None or fact.slots or found.attribute not in plain_attributes(fact):
            continue
        if fact.dataclass or found.attribute in stored_on_self(fact):
            told.add(found.attribute)
            yield subject.finding(
                CODE,
                f"{own}.{found.attribute} hides the default of the class {fact.name}",
                found.at,
                evidence=[
                    subject.seen(found.at),
                    f"the body of {fact.name} assigns {found.attribute}, instances have their own",
                ],
                why="CPython 3.12 and 3.13 do not specialise an attribute that the class has too",
                instead="slots=True, field(default_factory=...), or an assignment in __init__",
            )
