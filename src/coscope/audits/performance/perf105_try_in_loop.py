"""A `try` is entered in each round of an inner loop

    for row in rows:
        for value in row:
            try:                        # 4 ns in each round, even if nothing is raised
                total += value
            except TypeError:
                skipped += 1

To CPython 3.10 entering and leaving a `try` takes 4 ns. From 3.11 on it takes no time at all, and
the rule is silent.

Proved: each complete round enters the `try`. Assumed: it is entered more often than an exception
ends it.

Instead: the `try` around the loop, if one exception may end it.

Measured: nanoseconds that each operation loses, median on one machine. The builds of 3.8 to 3.13
are without PGO, those of 3.14.10 and 3.15.2 are Debian's, with it.

    CPython     3.8    3.9   3.10   3.11   3.12   3.13   3.14   3.15
    ns          5.1    4.8    5.5    1.3   -0.1    1.2   -0.3    0.6
"""

from __future__ import annotations

from collections.abc import Iterator

from coscope.audits.calibration import Pair
from coscope.audits.performance.rounds import light_loop
from coscope.audits.subject.subject import Subject
from coscope.model import Finding

CODE = "PERF105"
SEVERITY = "info"
BEHAVIOUR = "try_blocks_cost"
LOOPS = True
OPNAMES = frozenset({"SETUP_FINALLY"})
PAIR = Pair("try:\n    x\nexcept KeyError:\n    y", "x", begin="x = y = 1")
lower_bound = PAIR.lower_bound

_GAIN = 4.0  # nanoseconds: a loop is told only if that is a share of its round


def check(subject: Subject) -> Iterator[Finding]:
    for index in subject.where("SETUP_FINALLY"):
        loop = light_loop(subject, index, _GAIN)
        if loop is not None and loop.depth > 1:
            yield subject.finding(
                CODE,
                "a try is entered in each round of an inner loop",
                index,
                confidence="proved",
                evidence=[subject.seen(index), f"the loop begins on line {loop.line}"],
                why=f"on CPython {subject.version} entering and leaving a try takes time",
                instead="the try around the loop, if an exception may end the loop",
            )
