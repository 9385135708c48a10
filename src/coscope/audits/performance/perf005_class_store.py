"""A class is changed where it is hot

    class Order:
        made = 0
        def __init__(self):
            Order.made += 1         # each store undoes what is specialised for Order

A store to an attribute of a class is never specialised, and it gives the class a new version: every
specialised access to the class and to its instances misses from then on.

The rule looks at code that has run: the site was generic hundreds of times in a row, or missed.

Proved: the interpreter's own counters say that the instruction stayed generic or missed, and the
cause is read from the live class or module. Assumed: what a sample saw there is what comes there;
where several causes fit, or none was seen, the finding is likely. A counter may be reset by a trace
(3.13 and later, with a JIT).

Instead: a counter outside of the class, such as `itertools.count` or an item of a list.

Measured: nanoseconds that each operation loses, median on one machine. The builds of 3.8 to 3.13
are without PGO, those of 3.14.10 and 3.15.2 are Debian's, with it.

    CPython     3.8    3.9   3.10   3.11   3.12   3.13   3.14   3.15
    ns         25.1   24.3   30.1   40.4   49.8   50.2   28.9   33.9
"""

from __future__ import annotations

from collections.abc import Iterator

from coscope.audits.performance import pairs
from coscope.audits.performance.unspecialized import findings
from coscope.audits.subject.subject import Subject
from coscope.audits.warm.reason import CLASS_STORE
from coscope.model import Finding

CODE = "PERF005"
SEVERITY = "warning"
WARM = True

lower_bound = pairs.CLASS_STORE.lower_bound

_WHY = "each store to a class undoes what is specialised for the class and its instances"
_INSTEAD = "keep what changes out of the class: in an item of a list, or in an instance"


def check(subject: Subject) -> Iterator[Finding]:
    yield from findings(subject, CODE, {CLASS_STORE}, _WHY, _INSTEAD)
