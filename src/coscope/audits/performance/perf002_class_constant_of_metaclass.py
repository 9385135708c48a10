"""An attribute of a class with a metaclass is read where it is hot

    class Shape(ABC):
        SIDES = 4

    def total(n):
        for _ in range(n):
            t += Shape.SIDES        # generic: type(Shape) is ABCMeta

To CPython 3.13 the load of an attribute of a class is specialised only if the class of the class
is exactly `type`: not for classes with `ABC` as a base, Enum classes and all others with a
metaclass. CPython 3.14 specialises it for all but Enum classes and those whose metaclass finds
attributes in a way of its own, and 3.15 for Enum classes as well; there the rule is silent. The
table is of an Enum member.

The rule looks at code that has run: the site was generic hundreds of times in a row.
Calls of the class's methods are left out: a method that is kept in a local variable gains little.

Proved: the interpreter's own counters say that the instruction stayed generic or missed, and the
cause is read from the live class or module. Assumed: what a sample saw there is what comes there;
where several causes fit, or none was seen, the finding is likely. A counter may be reset by a trace
(3.13 and later, with a JIT).

Instead: a constant of the module, or a local variable.

Measured: nanoseconds that each operation loses, median on one machine. The builds of 3.8 to 3.13
are without PGO, those of 3.14.10 and 3.15.2 are Debian's, with it.

    CPython     3.8    3.9   3.10   3.11   3.12   3.13   3.14   3.15
    ns         51.4   48.8   56.7   56.4   10.9   10.7    7.3    0.2
"""

from __future__ import annotations

from collections.abc import Iterator

from coscope.audits.performance import pairs
from coscope.audits.performance.unspecialized import findings
from coscope.audits.subject.subject import Subject
from coscope.audits.warm.reason import METACLASS
from coscope.model import Finding

CODE = "PERF002"
SEVERITY = "warning"
BEHAVIOUR = "enum_members_stay_generic"
WARM = True

lower_bound = pairs.ENUM.lower_bound

_WHY = "the load of an attribute is not specialised for a class with such a metaclass"
_INSTEAD = "read {owner}.{attribute} once, before the loop, or make it a constant of the module"


def check(subject: Subject) -> Iterator[Finding]:
    yield from findings(subject, CODE, {METACLASS}, _WHY, _INSTEAD)
