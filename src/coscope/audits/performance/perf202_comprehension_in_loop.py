"""A comprehension in a loop makes and calls a function each time

    for table in tables:
        for row in table:
            total += max([abs(value) for value in row])

To CPython 3.11 a list, set or dict comprehension is a function: it is made and called each time.
From 3.12 on it is inlined, and the rule is silent. To 3.10 the same holds, but nothing is gained by
a loop there.

Proved: each complete round makes and calls the comprehension's function. Assumed: it has few items.

Instead: with few items an inner `for` loop, or `map`.

Measured: nanoseconds that each operation loses, median on one machine. The builds of 3.8 to 3.13
are without PGO, those of 3.14.10 and 3.15.2 are Debian's, with it.

    CPython     3.8    3.9   3.10   3.11   3.12   3.13   3.14   3.15
    ns         20.7   31.1   41.8   59.4     -5   -5.6   -6.4     -8
"""

from __future__ import annotations

from collections.abc import Iterator

from coscope.audits.calibration import Pair
from coscope.audits.performance.rounds import light_loop
from coscope.audits.subject.subject import Subject
from coscope.model import Code, Finding

CODE = "PERF202"
SEVERITY = "info"
BEHAVIOUR = "comprehension_calls_cost"
LOOPS = True
OPNAMES = frozenset({"MAKE_FUNCTION"})
PAIR = Pair("[i for i in t]", "l = []\nfor i in t: l.append(i)", begin="t = (1, 2)")
lower_bound = PAIR.lower_bound

_GAIN = 42.0  # nanoseconds: a loop is told only if that is a share of its round


_COMPREHENSIONS = ("list comprehension", "set comprehension", "dict comprehension")


def check(subject: Subject) -> Iterator[Finding]:
    for index in subject.where("MAKE_FUNCTION"):
        code = subject.instructions.argval(index - 1) if index else None
        if not isinstance(code, Code) or code.kind not in _COMPREHENSIONS:
            continue
        loop = light_loop(subject, index, _GAIN)
        if loop is not None and loop.depth > 1:
            yield subject.finding(
                CODE,
                f"a {code.kind} is made and called as a function in each round of an inner loop",
                index,
                confidence="proved",
                evidence=[subject.seen(index - 1), subject.seen(index)],
                why=f"on CPython {subject.version} a comprehension is a function of its own",
                instead="an inner loop, where there are few items; or a later CPython",
            )
