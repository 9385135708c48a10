"""A loop enters `contextlib.suppress`

    for name in names:
        with suppress(KeyError):            # 137 to 321 ns more than a try
            total += prices[name]

The object is made, entered and left each time. A `try` costs nothing from 3.11 on.

Proved: the name is `contextlib.suppress` by the imports of the file, and each complete round enters
it. Assumed: `contextlib` is the standard library's.

Instead: `try: ... except KeyError: pass`.

Measured: nanoseconds that each operation loses, median on one machine. The builds of 3.8 to 3.13
are without PGO, those of 3.14.10 and 3.15.2 are Debian's, with it.

    CPython     3.8    3.9   3.10   3.11   3.12   3.13   3.14   3.15
    ns        296.4  321.1  320.2  246.7  319.2  293.4  137.1  152.7
"""

from __future__ import annotations

from collections.abc import Iterator

from coscope.audits.calibration import Pair
from coscope.audits.performance.many import many_rounds
from coscope.audits.performance.rounds import light_loop
from coscope.audits.subject.names import callee_of
from coscope.audits.subject.subject import Subject
from coscope.model import Finding

CODE = "PERF307"
SEVERITY = "info"
LOOPS = True
MODULES = frozenset({"contextlib"})
NAMES = frozenset({"suppress"})
PAIR = Pair(
    "with s(KeyError): x",
    "try: x\nexcept KeyError: pass",
    "from contextlib import suppress as s",
    "x = 1",
)
lower_bound = PAIR.lower_bound

_GAIN = 215.0  # nanoseconds: a loop is told only if that is a share of its round
_SHARE = 0.2  # of a round: what stands in such a loop mostly calls something


def check(subject: Subject) -> Iterator[Finding]:
    if not subject.loops:
        return
    for call in subject.calls:
        if callee_of(subject, call) != "contextlib.suppress":
            continue
        loop = light_loop(subject, call.index, _GAIN, _SHARE)
        many = None if loop is None else many_rounds(subject, loop)
        if many is not None:
            yield subject.finding(
                CODE,
                "contextlib.suppress is entered in each round of a loop",
                call.index,
                confidence="proved",
                evidence=[subject.seen(call.index), many],
                why="an object is made, entered and left each time",
                instead="try and except",
            )
