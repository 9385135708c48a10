"""A constructor asks for the `__dict__` of self, which slows every attribute down

    class Record:
        def __init__(self, **fields):
            self.__dict__.update(fields)

Instances keep their attributes in a plain array until somebody asks for their dictionary. On
3.11 and 3.12 the specialised instructions for the array do not fit an instance that has one, and
on 3.14 and 3.15 nothing is specialised for it: each load and store of an attribute costs 10 to
15 ns more from then on. On 3.13 only stores do, and the rule is silent.

The rule finds `self.__dict__` in `__init__`, `__new__`, `__post_init__` and `__setattr__` of a
class without `__slots__` and bases: every instance is meant there.

Proved: the method asks for `__dict__` of an instance whose class keeps attributes as plain Python
does. Assumed: the instance is used afterwards.

Instead: `setattr(self, name, value)`, or `object.__setattr__`.

Measured: nanoseconds that each operation loses, median on one machine. The builds of 3.8 to 3.13
are without PGO, those of 3.14.10 and 3.15.2 are Debian's, with it.

    CPython     3.8    3.9   3.10   3.11   3.12   3.13   3.14   3.15
    ns          0.1      0     -0   16.5     16     -0   10.9   11.2
"""

from __future__ import annotations

from collections.abc import Iterator

from coscope.audits.calibration import Pair
from coscope.audits.performance.classes import class_around
from coscope.audits.performance.hot import accesses, first_parameter
from coscope.audits.subject.subject import Subject
from coscope.model import Finding

CODE = "PERF204"
SEVERITY = "info"
BEHAVIOUR = "dict_of_self_costs"
OPNAMES = frozenset({"LOAD_ATTR", "LOAD_GLOBAL"})

_SETUP = """\
class A:
    def __init__(self): self.x = 1
opened, plain = A(), A()
opened.__dict__
"""
PAIR = Pair("a.x", "b.x", _SETUP, "a, b = opened, plain")
lower_bound = PAIR.lower_bound


_MAKERS = frozenset({"__init__", "__new__", "__setattr__", "__post_init__"})


def check(subject: Subject) -> Iterator[Finding]:
    if subject.code.name not in _MAKERS or "__dict__" not in subject.code.names:
        return
    own = first_parameter(subject)
    fact = class_around(subject)
    # A base that is not plain Python, as dict or Exception, keeps its attributes otherwise.
    if own is None or fact is None or fact.slots or set(fact.bases) - {"object"}:
        return
    for found in accesses(subject, "LOAD_ATTR"):
        if found.name == own and found.attribute == "__dict__":
            yield subject.finding(
                CODE,
                f"{own}.__dict__ makes every later access to attributes of {own} slower",
                found.at,
                confidence="proved",
                evidence=[subject.seen(found.at), f"it runs in {subject.code.qualname}"],
                why=f"on CPython {subject.version} specialised forms do not fit such instances",
                instead=f"setattr({own}, name, value)",
            )
            return
