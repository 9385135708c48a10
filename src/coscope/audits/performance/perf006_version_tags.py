"""A class was changed so often that nothing about it is specialised any more

    for number in range(2000):
        Registry.last = number
        registry.find(number)       # asks for a new version tag each time

A class gets at most 1000 version tags. When they are used up, no access to the class or to its
instances is ever specialised again in that process.

The rule looks at code that has run, and at the number of tags that the class has had.

Proved: the interpreter's own counters say that the instruction stayed generic or missed, and the
cause is read from the live class or module. Assumed: what a sample saw there is what comes there;
where several causes fit, or none was seen, the finding is likely. A counter may be reset by a trace
(3.13 and later, with a JIT).

Instead: keep what changes out of the class.

Measured: nanoseconds that each operation loses, median on one machine. The builds of 3.8 to 3.13
are without PGO, those of 3.14.10 and 3.15.2 are Debian's, with it.

    CPython     3.8    3.9   3.10   3.11   3.12   3.13   3.14   3.15
    ns            0     -0   -0.1     -0     -0   32.3   22.8   24.3
"""

from __future__ import annotations

from collections.abc import Iterator

from coscope.audits.calibration import Pair
from coscope.audits.performance.unspecialized import findings
from coscope.audits.subject.subject import Subject
from coscope.audits.warm.reason import TAGS
from coscope.model import Finding

CODE = "PERF006"
SEVERITY = "warning"
BEHAVIOUR = "class_versions_run_out"
WARM = True

_SETUP = """\
class Worn:
    def __init__(self): self.x = 1
class Plain:
    def __init__(self): self.x = 1
worn, plain = Worn(), Plain()
for number in range(1100):
    Worn.n = number
    worn.x; hasattr(worn, "x")
"""
lower_bound = Pair("o.x", "p.x", _SETUP, "o, p = worn, plain").lower_bound

_WHY = "a class gets 1000 version tags; without one nothing about it is specialised"
_INSTEAD = "keep what changes out of the class: in an item of a list, or in an instance"


def check(subject: Subject) -> Iterator[Finding]:
    yield from findings(subject, CODE, {TAGS}, _WHY, _INSTEAD)
