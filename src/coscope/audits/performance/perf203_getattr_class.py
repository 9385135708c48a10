"""A class with `__getattr__` is not specialised, even where the attribute is there

    class Proxy:
        def __init__(self, size):
            self.size = size
        def __getattr__(self, name): ...
        def total(self, n):
            for _ in range(n):
                t += self.size          # generic on 3.11

CPython 3.11 specialises no attribute of instances whose class defines `__getattr__`. 3.12 does.

The rule finds attributes of self that a method reads in each round of a tight loop.

Proved, of a class without bases of other files: its `__getattr__` is in the way of each such load.
Assumed: no subclass overrides what the file shows.

Instead: a local variable, if nothing changes the attribute meanwhile.

Measured: nanoseconds that each operation loses, median on one machine. The builds of 3.8 to 3.13
are without PGO, those of 3.14.10 and 3.15.2 are Debian's, with it.

    CPython     3.8    3.9   3.10   3.11   3.12   3.13   3.14   3.15
    ns          8.5      9   19.9   19.3     -0     -0      0      0
"""

from __future__ import annotations

from collections.abc import Iterator

from coscope.audits.calibration import Pair
from coscope.audits.performance.classes import (
    KNOWN,
    OVERRIDDEN,
    class_around,
    ruled_by,
    stored_on_self,
)
from coscope.audits.performance.hot import accesses, first_parameter
from coscope.audits.performance.many import busy_loop
from coscope.audits.prefilter.glances import Glance
from coscope.audits.subject.subject import Subject
from coscope.model import Finding

CODE = "PERF203"
SEVERITY = "info"
BEHAVIOUR = "fallback_classes_stay_generic"
LOOPS = True
TIGHT = True
OPNAMES = frozenset({"LOAD_ATTR"})

_SETUP = """\
class A:
    def __init__(self): self.x = 1
    def __getattr__(self, name): return 1
class B:
    def __init__(self): self.x = 1
with_getattr, plain = A(), B()
"""
PAIR = Pair("a.x", "b.x", _SETUP, "a, b = with_getattr, plain")
lower_bound = PAIR.lower_bound


def may_find(seen: Glance) -> bool:
    return seen.is_method()


def check(subject: Subject) -> Iterator[Finding]:
    own = first_parameter(subject)
    parent = subject.parent
    if own is None or parent is None or "__getattr__" not in parent.names:
        return
    fact = class_around(subject)
    if fact is None or fact.method("__getattr__") is None:
        return
    ruled = ruled_by(subject.unit, fact, "__getattribute__")
    if ruled == OVERRIDDEN:
        return  # each access is a call of that
    told = set()
    stored = stored_on_self(fact)
    for found in accesses(subject, "LOAD_ATTR"):
        if found.name != own or found.attribute not in stored or found.attribute in told:
            continue
        if busy_loop(subject, found.at) is not None:
            told.add(found.attribute)
            yield subject.finding(
                CODE,
                f"{own}.{found.attribute} is not specialised: {fact.name} has a __getattr__",
                found.at,
                confidence="proved" if ruled == KNOWN else "likely",
                evidence=[subject.seen(found.at)],
                why=f"CPython {subject.version} specialises no attribute of such a class",
                instead=f"a local variable that holds {own}.{found.attribute}",
            )
