"""A loop stores a global variable

    global count
    for value in values:
        count += 1                      # 12 to 20 ns more than a local

A global is stored into the dictionary of the module each time.

The rule finds globals that each round of a loop reads and stores.

Proved: each complete round reads and stores the global. Assumed: nobody looks at it before the loop
ends.

Instead: a local variable, stored once after the loop, if nobody looks meanwhile.

Measured: nanoseconds that each operation loses, median on one machine. The builds of 3.8 to 3.13
are without PGO, those of 3.14.10 and 3.15.2 are Debian's, with it.

    CPython     3.8    3.9   3.10   3.11   3.12   3.13   3.14   3.15
    ns         12.9   12.9   11.8   11.3   14.9   13.6    9.7   10.6
"""

from __future__ import annotations

from collections.abc import Iterator

from coscope.audits.calibration import Pair
from coscope.audits.performance.many import busy_loop
from coscope.audits.subject.subject import Subject
from coscope.model import Finding

CODE = "PERF310"
SEVERITY = "info"
LOOPS = True
TIGHT = True
OPNAMES = frozenset({"STORE_GLOBAL"})
PAIR = Pair("G += 1", "g += 1", "G = 0", "global G", "g = 0")
lower_bound = PAIR.lower_bound


def check(subject: Subject) -> Iterator[Finding]:
    columns = subject.instructions
    read = {
        columns.argval(index)
        for index in subject.where("LOAD_GLOBAL")
        if busy_loop(subject, index) is not None
    }
    told = set()
    for index in subject.where("STORE_GLOBAL"):
        name = columns.argval(index)
        if name in read and name not in told and busy_loop(subject, index) is not None:
            told.add(name)
            yield subject.finding(
                CODE,
                f"the global {name} is read and stored in each round of a loop",
                index,
                confidence="proved",
                evidence=[subject.seen(index)],
                why="a global is stored into the dictionary of the module each time",
                instead="a local variable, stored once after the loop, if nobody looks meanwhile",
            )
