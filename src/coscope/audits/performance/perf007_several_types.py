"""A loop goes through objects of several types

    for shape in shapes:            # circles and squares, in any order
        total += shape.area         # specialised for circles, misses on each square

A specialised instruction fits one type. Where types change from round to round it misses, falls
back, and is specialised anew every 53 misses.

The rule looks at code that has run: an attribute of the loop's own variable kept missing, and
objects of more than one type were seen in that variable. Elsewhere, as where a tree is visited,
there is nothing to sort, and `coscope show --warm` shows it.

Proved: the interpreter's own counters say that the instruction stayed generic or missed, and the
cause is read from the live class or module. Assumed: what a sample saw there is what comes there;
where several causes fit, or none was seen, the finding is likely. A counter may be reset by a trace
(3.13 and later, with a JIT).

Instead: sort by type, or one loop for each type, where it pays: see how little there is to gain.

Measured: nanoseconds that each operation loses, median on one machine. The builds of 3.8 to 3.13
are without PGO, those of 3.14.10 and 3.15.2 are Debian's, with it.

    CPython     3.8    3.9   3.10   3.11   3.12   3.13   3.14   3.15
    ns          0.5    0.6    6.8    8.5    4.3    6.1    5.8    6.5
"""

from __future__ import annotations

from collections.abc import Iterator

from coscope.audits.calibration import Pair
from coscope.audits.performance.unspecialized import findings
from coscope.audits.subject.subject import Subject
from coscope.audits.warm.reason import MIXED
from coscope.model import Finding

CODE = "PERF007"
SEVERITY = "info"
WARM = True

_SETUP = """\
class A:
    def __init__(self): self.x = 1
class B:
    def __init__(self): self.y = self.x = 1
from random import Random
mixed = [cls() for cls in Random(7).choices((A, B), k=200)]
same = [A() for _ in mixed]
"""
lower_bound = Pair("for o in mixed: o.x", "for o in same: o.x", _SETUP, operations=200).lower_bound

_WHY = "an instruction is specialised for one type at a time"
_INSTEAD = "one loop for each type, if the objects can be sorted by type"


def check(subject: Subject) -> Iterator[Finding]:
    yield from findings(subject, CODE, {MIXED}, _WHY, _INSTEAD)
