"""An attribute of a class with a metaclass is read where it is hot

    class Shape(ABC):
        SIDES = 4

    def total(n):
        for _ in range(n):
            t += Shape.SIDES        # generic: type(Shape) is ABCMeta

CPython specialises the load of an attribute of a class only if the class of the class is exactly
`type`. Classes with `ABC` as a base, Enum classes and all others with a metaclass are not.

The rule looks at code that has run: the site was generic hundreds of times in a row.
Calls of the class's methods are left out: a method that is kept in a local variable gains little.

Instead: a constant of the module, or a local variable.

Measured: nanoseconds that each operation loses, median on one machine, builds without PGO.

    CPython     3.8    3.9   3.10   3.11   3.12   3.13
    ns          0.1   -0.1     -0     -0    9.8    9.7
"""

from __future__ import annotations

from collections.abc import Iterator

from coscope.audits.performance import pairs
from coscope.audits.performance.unspecialized import findings
from coscope.audits.subject.subject import Subject
from coscope.audits.warm.reasons import METACLASS
from coscope.model import Finding

CODE = "PERF002"
SEVERITY = "warning"
BEHAVIOUR = "metaclass_constants_stay_generic"
WARM = True

lower_bound = pairs.METACLASS.lower_bound

_WHY = "only attributes of classes whose class is exactly type are specialised"
_INSTEAD = "read {owner}.{attribute} once, before the loop, or make it a constant of the module"


def check(subject: Subject) -> Iterator[Finding]:
    yield from findings(subject, CODE, {METACLASS}, _WHY, _INSTEAD)
