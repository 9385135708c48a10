"""One unpacking meets lists and tuples

    for key, value in pairs:        # some are tuples, some are lists
        ...

`UNPACK_SEQUENCE` is specialised for tuples or for lists. Where both come it misses, falls back, and
is specialised anew every 53 misses.

The rule looks at code that has run: the site kept missing.

Instead: make them all tuples where they are made.

Measured: nanoseconds that each operation loses, median on one machine, builds without PGO.

    CPython     3.8    3.9   3.10   3.11   3.12   3.13
    ns          0.9    0.4    0.2   12.8   13.4   14.6
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
