"""An attribute hides a default of its class, so its accesses are not specialised

    @dataclass
    class Point:
        x: int = 0          # the class has an attribute x, and each instance one of its own

    def total(points):
        return sum(point.x for point in points)     # 2.6 times slower than without the default

CPython 3.12 and 3.13 specialise the load of an instance's attribute only if its class has none
of that name. The default of a dataclass's field is a class attribute, and so is `x = 0` in a
class body above `self.x = x`. CPython 3.14 specialises the load (gh-123040), but not the store: on
3.14 and 3.15 the rule reports stores alone. A store loses 20 ns on 3.13 and 11 ns on 3.14 and
3.15; the table is of one load and one store, per access.

The rule looks at code that has run: the site was generic hundreds of times in a row.

Proved: the interpreter's own counters say that the instruction stayed generic or missed, and the
cause is read from the live class or module. Assumed: what a sample saw there is what comes there;
where several causes fit, or none was seen, the finding is likely. A counter may be reset by a trace
(3.13 and later, with a JIT).

Instead: no default where instances are made in numbers, `field(default_factory=...)`, which leaves
no class attribute, `slots=True`, or assignment in `__init__`.

Measured: nanoseconds that each operation loses, median on one machine. The builds of 3.8 to 3.13
are without PGO, those of 3.14.10 and 3.15.2 are Debian's, with it.

    CPython     3.8    3.9   3.10   3.11   3.12   3.13   3.14   3.15
    ns          0.3    0.3    5.7      0   14.5   14.9    5.6    5.6
"""

from __future__ import annotations

from collections.abc import Iterator

from coscope.audits.performance import pairs
from coscope.audits.performance.unspecialized import findings
from coscope.audits.subject.subject import Subject
from coscope.audits.warm.reason import SHADOWED
from coscope.model import Finding

CODE = "PERF001"
SEVERITY = "warning"
BEHAVIOUR = "hidden_stores_cost"
WARM = True

lower_bound = pairs.SHADOWED.lower_bound

_WHY = "on CPython {version} an attribute that its class has too is looked up anew each time"
_INSTEAD = (
    "leave the default of {attribute} out of the class: slots=True,"
    " field(default_factory=...), or an assignment in __init__"
)


def check(subject: Subject) -> Iterator[Finding]:
    yield from findings(subject, CODE, {SHADOWED}, _WHY.format(version=subject.version), _INSTEAD)
