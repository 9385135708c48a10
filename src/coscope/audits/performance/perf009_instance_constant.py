"""A constant of a class is read through an instance where it is hot

    class Grid:
        WIDTH = 80
        def area(self, rows):
            for row in rows:
                total += row * self.WIDTH       # generic on 3.11 and 3.12

CPython 3.11 and 3.12 specialise the load of an instance's own attribute and of a method, but not
that of any other attribute of its class. 3.13 does.

The rule looks at code that has run: the site was generic hundreds of times in a row.

Proved: the interpreter's own counters say that the instruction stayed generic or missed, and the
cause is read from the live class or module. Assumed: what a sample saw there is what comes there;
where several causes fit, or none was seen, the finding is likely. A counter may be reset by a trace
(3.13 and later, with a JIT).

Instead: a constant of the module.

Measured: nanoseconds that each operation loses, median on one machine. The builds of 3.8 to 3.13
are without PGO, those of 3.14.10 and 3.15.2 are Debian's, with it.

    CPython     3.8    3.9   3.10   3.11   3.12   3.13   3.14   3.15
    ns         13.9   11.8   15.9   13.6   15.4    2.3   -0.4    0.4
"""

from __future__ import annotations

from collections.abc import Iterator

from coscope.audits.calibration import Pair
from coscope.audits.performance.unspecialized import findings
from coscope.audits.subject.subject import Subject
from coscope.audits.warm.reason import CONSTANT
from coscope.model import Finding

CODE = "PERF009"
SEVERITY = "info"
BEHAVIOUR = "instance_constants_stay_generic"
WARM = True

_SETUP = """\
class Grid:
    WIDTH = 80
    def __init__(self): self.x = 1
WIDTH = 80
grid = Grid()
"""
lower_bound = Pair("g.WIDTH", "WIDTH", _SETUP, "g = grid").lower_bound

_WHY = "on CPython {version} no load of a class's attribute through an instance is specialised"
_INSTEAD = "make {attribute} a constant of the module"


def check(subject: Subject) -> Iterator[Finding]:
    yield from findings(subject, CODE, {CONSTANT}, _WHY.format(version=subject.version), _INSTEAD)
