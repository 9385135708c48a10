"""A loop makes instances of a Python class with keyword arguments

    for x, y in pairs:
        points.append(Point(x=x, y=y))  # 108 to 199 ns more than Point(x, y)

A class that is called with positional arguments only has a specialised form from 3.13 on, and less
to match before. With keywords the arguments are put into a tuple and matched by name.

The rule finds classes of the same file whose `__init__` would take the keywords by position, and
calls nothing itself.

Proved, of a class without bases of other files: its `__init__` takes the arguments by position in
that order, and each complete round calls it. Assumed: nobody replaces the class.

Instead: positional arguments, where the loop is hot. Keywords are easier to read elsewhere.

Measured: nanoseconds that each operation loses, median on one machine. The builds of 3.8 to 3.13
are without PGO, those of 3.14.10 and 3.15.2 are Debian's, with it.

    CPython     3.8    3.9   3.10   3.11   3.12   3.13   3.14   3.15
    ns         97.3   95.7   78.5  113.7  122.6  160.2   92.6   94.2
"""

from __future__ import annotations

from collections.abc import Iterator

from coscope.audits.calibration import Pair
from coscope.audits.performance.classes import (
    KNOWN,
    OVERRIDDEN,
    calls_something,
    class_names,
    classes_of,
    ruled_by,
)
from coscope.audits.performance.many import many_rounds
from coscope.audits.performance.rounds import light_loop
from coscope.audits.prefilter.glances import Glance
from coscope.audits.subject.subject import Subject
from coscope.model import Finding

CODE = "PERF305"
SEVERITY = "info"
LOOPS = True
OPNAMES = frozenset({"KW_NAMES", "CALL_KW", "CALL_FUNCTION_KW"})

_SETUP = """\
class Point:
    def __init__(self, x, y): self.x = x; self.y = y
"""
PAIR = Pair("C(x=1, y=2)", "C(1, 2)", _SETUP, "C = Point")
lower_bound = PAIR.lower_bound

_GAIN = 110.0  # nanoseconds: a loop is told only if that is a share of its round
_SHARE = 0.2  # of a round: what stands in such a loop mostly calls something


def may_find(seen: Glance) -> bool:
    return seen.names_a_class()


def check(subject: Subject) -> Iterator[Finding]:
    if class_names(subject.unit).isdisjoint(subject.code.names) or not subject.loops:
        return
    for call in subject.calls:
        if not call.keywords or call.starred or call.root != "global" or call.path is None:
            continue
        loop = light_loop(subject, call.index, _GAIN, _SHARE)
        if loop is None:
            continue
        fact = classes_of(subject.unit).get(call.path)
        init = fact.method("__init__") if fact is not None else None
        if init is None or fact is None or fact.metaclass is not None or fact.decorators:
            continue
        ruled = ruled_by(subject.unit, fact, "__new__")
        if ruled == OVERRIDDEN or calls_something(init):
            continue  # what it calls takes longer
        names = [name for name, _ in call.keywords]
        start = 1 + len(call.positional)
        if list(init.varnames[start : init.argcount][: len(names)]) != names:
            continue
        many = many_rounds(subject, loop)
        if many is None:
            continue
        yield subject.finding(
            CODE,
            f"{fact.name} is called with keywords in each round of a loop",
            call.index,
            confidence="proved" if ruled == KNOWN else "likely",
            evidence=[
                subject.seen(call.index),
                f"{init.qualname} takes {', '.join(names)} by position",
                many,
            ],
            why="keyword arguments of a class are matched by name at each call",
            instead=f"{fact.name}(...) with positional arguments",
        )
