"""An attribute comes from `__getattr__` each time it is read

    class Order:
        def __init__(self, row): self.row = row
        def __getattr__(self, name): return self.row[name]

    for order in orders:
        total += order.price            # searches the class and the instance in vain, then calls

A load that ends in `__getattr__` is never specialised: it looks for the attribute everywhere else
before it calls the method. On CPython 3.11, which makes an AttributeError on the way, it costs five
times as much; but there no load from such a class is specialised, so that the rule cannot
distinguish them
apart, and is silent. From 3.14 on the method itself is called quickly, and the search remains.

The rule looks at code that has run: the site was generic hundreds of times in a row, or executed
often and left generic by each attempt, no class of the object has the attribute, and none of its
methods stores it.

Proved: the interpreter's own counters say that the instruction stayed generic or missed, and the
cause is read from the live class or module. Assumed: what a sample saw there is what comes there;
where several causes fit, or none was seen, the finding is likely. A counter may be reset by a trace
(3.13 and later, with a JIT).

Instead: an attribute or a property for the names that are read often.

Measured: nanoseconds that each operation loses, median on one machine. The builds of 3.8 to 3.13
are without PGO, those of 3.14.10 and 3.15.2 are Debian's, with it.

    CPython     3.8    3.9   3.10   3.11   3.12   3.13   3.14   3.15
    ns          204  179.5  365.6  367.6   54.9   55.8   34.8   43.2
"""

from __future__ import annotations

from collections.abc import Iterator

from coscope.audits.calibration import Pair
from coscope.audits.performance.unspecialized import findings
from coscope.audits.subject.subject import Subject
from coscope.audits.warm.reason import FALLBACK
from coscope.model import Finding

CODE = "PERF010"
SEVERITY = "info"
BEHAVIOUR = "not fallback_classes_stay_generic"
WARM = True

_SETUP = """\
class Falls:
    def __getattr__(self, name): return 1
class Plain:
    def __init__(self): self.x = 1
falls, plain = Falls(), Plain()
"""
lower_bound = Pair("o.x", "p.x", _SETUP, "o, p = falls, plain").lower_bound

_WHY = "a load that ends in __getattr__ is never specialised, and searches everywhere else first"
_INSTEAD = "give the class an attribute or a property {attribute}"


def check(subject: Subject) -> Iterator[Finding]:
    yield from findings(subject, CODE, {FALLBACK}, _WHY, _INSTEAD)
