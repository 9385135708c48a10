"""A method of a list is looked up in each round of a loop

    out = []
    for value in values:
        out.append(value * 2)           # 6 to 11 ns more than a bound local

To CPython 3.10 the lookup of the method costs 6 to 11 ns. From 3.11 on the call of the method is
faster than the call of a bound local, and PERF201 reports the hoist.

The rule finds `append` and `extend` of a local that is a new list, in each round of a loop that
does not assign it.

Proved: the local holds a list that the function has made, in each round. Assumed: nothing beyond
the builtin `list`.

Instead: `append = out.append` before the loop.

Measured: nanoseconds that each operation loses, median on one machine. The builds of 3.8 to 3.13
are without PGO, those of 3.14.10 and 3.15.2 are Debian's, with it.

    CPython     3.8    3.9   3.10   3.11   3.12   3.13   3.14   3.15
    ns         11.8    4.2    8.2   -2.2   -3.4   -3.1   -1.9   -2.1
"""

from __future__ import annotations

from collections.abc import Iterator

from coscope.audits.calibration import Pair
from coscope.audits.performance.hot import accesses, stored_locals
from coscope.audits.performance.lists import new_lists
from coscope.audits.performance.rounds import light_loop
from coscope.audits.subject.subject import Subject
from coscope.model import Finding

CODE = "PERF104"
SEVERITY = "info"
BEHAVIOUR = "bound_methods_cost"
LOOPS = True
OPNAMES = frozenset({"LOAD_METHOD"})
PAIR = Pair("l.append(1)", "a(1)", begin="l = []; a = l.append")
lower_bound = PAIR.lower_bound

_GAIN = 8.0  # nanoseconds: a loop is told only if that is a share of its round


def check(subject: Subject) -> Iterator[Finding]:
    told = set()
    lists = None
    for found in accesses(subject, "LOAD_METHOD"):
        if found.kind != "local" or found.attribute not in ("append", "extend"):
            continue
        loop = light_loop(subject, found.at, _GAIN)
        key = found.name, found.attribute
        if loop is None or key in told or found.name in stored_locals(subject, loop):
            continue
        lists = new_lists(subject) if lists is None else lists
        if found.name not in lists:
            continue
        told.add(key)
        yield subject.finding(
            CODE,
            f"the method {found.attribute} of the list {found.name} is looked up in each round",
            found.at,
            confidence="proved",
            evidence=[subject.seen(found.at), f"{found.name} is a new list, made before it"],
            why=f"on CPython {subject.version} the lookup costs more than the call itself",
            instead=f"{found.attribute} = {found.name}.{found.attribute} before the loop",
        )
