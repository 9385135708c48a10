"""One unpacking meets lists and tuples

    for key, value in pairs:        # some are tuples, some are lists
        ...

`UNPACK_SEQUENCE` is specialised for tuples or for lists. Where both come it misses, falls back, and
is specialised anew every 53 misses.

The rule looks at code that has run: the site kept missing.

Proved: the interpreter's own counters say that the instruction stayed generic or missed, and the
cause is read from the live class or module. Assumed: what a sample saw there is what comes there;
where several causes fit, or none was seen, the finding is likely. A counter may be reset by a trace
(3.13 and later, with a JIT).

Instead: make them all tuples where they are made.

Measured: nanoseconds that each operation loses, median on one machine. The builds of 3.8 to 3.13
are without PGO, those of 3.14.10 and 3.15.2 are Debian's, with it.

    CPython     3.8    3.9   3.10   3.11   3.12   3.13   3.14   3.15
    ns         -0.2    0.4    0.1   18.6   19.9   20.2    7.6    8.3
"""

from __future__ import annotations

from collections.abc import Iterator

from coscope.audits.calibration import Pair
from coscope.audits.performance.unspecialized import findings
from coscope.audits.subject.subject import Subject
from coscope.audits.warm.reason import UNPACK
from coscope.model import Finding

CODE = "PERF008"
SEVERITY = "info"
WARM = True

_SETUP = """\
mixed, same = [(1, 2), [1, 2]] * 10, [(1, 2), (1, 2)] * 10
"""
lower_bound = Pair(
    "for a, b in mixed: pass", "for a, b in same: pass", _SETUP, operations=20
).lower_bound

_WHY = "unpacking is specialised for lists or for tuples, not for both"
_INSTEAD = "make them all tuples where they are made"


def check(subject: Subject) -> Iterator[Finding]:
    yield from findings(subject, CODE, {UNPACK}, _WHY, _INSTEAD)
