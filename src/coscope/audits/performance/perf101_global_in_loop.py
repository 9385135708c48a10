"""A global or builtin name is read again and again in an inner loop

    for row in rows:
        for value in row:
            total += abs(value)         # a lookup in two dictionaries, each time

To CPython 3.10 a global name costs 5 ns more than a local one and a builtin 7 to 10 ns more, in a
function that was called less than 1024 times: a program's main loop. After as many calls they are
cached, and cost 1 ns. From 3.11 on they are cached at once, and the rule is silent. The table below
is of the cached state.

The rule finds a name that each round of a loop inside of a loop reads, and that the function does
not assign.

Proved: each complete round reads the name, and the function never assigns it. Assumed: the function
is called less than 1,024 times, and nothing else rebinds the name meanwhile.

Instead: a local variable that is assigned before the loops, `absolute = abs`.

Measured: nanoseconds that each operation loses, median on one machine. The builds of 3.8 to 3.13
are without PGO, those of 3.14.10 and 3.15.2 are Debian's, with it.

    CPython     3.8    3.9   3.10   3.11   3.12   3.13   3.14   3.15
    ns            0    1.7   -0.1    1.5    0.8    0.8    1.8    1.1
"""

from __future__ import annotations

from collections.abc import Iterator

from coscope.audits.calibration import Pair
from coscope.audits.performance.rounds import light_loop
from coscope.audits.subject.subject import Subject
from coscope.model import Finding

CODE = "PERF101"
SEVERITY = "info"
BEHAVIOUR = "globals_cost"
LOOPS = True
OPNAMES = frozenset({"LOAD_GLOBAL"})
PAIR = Pair("abs", "a", begin="a = abs")
lower_bound = PAIR.lower_bound

_GAIN = 8.0  # nanoseconds: a loop is told only if that is a share of its round


def check(subject: Subject) -> Iterator[Finding]:
    told = set()
    for index in subject.where("LOAD_GLOBAL"):
        loop = light_loop(subject, index, _GAIN)
        name = subject.instructions.argval(index)
        if loop is None or loop.depth < 2 or name in told:
            continue
        told.add(name)
        yield subject.finding(
            CODE,
            f"the global or builtin name {name} is looked up in each round of an inner loop",
            index,
            confidence="proved",
            evidence=[subject.seen(index), f"the loop on line {loop.line} is in another loop"],
            why=f"on CPython {subject.version} each read of a global searches a dictionary",
            instead=f"a local variable that holds {name}, if few calls run the loops often",
        )
