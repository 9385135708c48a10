"""An attribute of self is read several times in each round of a loop

    for order in orders:
        total += order.price * self.rate
        fee += self.rate * 2            # 13 ns more than a local, each

To CPython 3.10 an attribute of an instance costs 13 ns more than a local variable. From 3.11 on it
costs less than one, and the rule is silent.

The rule finds an attribute that each round reads at least twice, in a method that never assigns it.
It is for you to see that nothing that is called in the loop changes it.

Instead: a local variable that is assigned before the loop.

Measured: nanoseconds that each operation loses, median on one machine. The builds of 3.8 to 3.13
are without PGO, those of 3.14.10 and 3.15.2 are Debian's, with it.

    CPython     3.8    3.9   3.10   3.11   3.12   3.13   3.14   3.15
    ns         14.7   14.1    8.1    2.5    3.8    3.4      2    1.8
"""

from __future__ import annotations

from collections.abc import Iterator

from coscope.audits.calibration import Pair
from coscope.audits.performance.hot import Access, accesses, first_parameter
from coscope.audits.performance.rounds import light_loop
from coscope.audits.subject.loops import LoopFacts
from coscope.audits.subject.subject import Subject
from coscope.model import Finding

CODE = "PERF103"
SEVERITY = "info"
BEHAVIOUR = "self_attributes_cost"
LOOPS = True
OPNAMES = frozenset({"LOAD_ATTR"})

_SETUP = """\
class C:
    def __init__(self): self.x = 1
o = C()
"""
PAIR = Pair("o.x", "x", _SETUP, "x = o.x")
lower_bound = PAIR.lower_bound

_GAIN = 26.0  # nanoseconds: a loop is told only if that is a share of its round


def check(subject: Subject) -> Iterator[Finding]:
    own = first_parameter(subject)
    if own is None:
        return
    stored = {found.attribute for found in accesses(subject, "STORE_ATTR", "DELETE_ATTR")}
    reads: dict[tuple[LoopFacts, str], list[Access]] = {}
    for found in accesses(subject, "LOAD_ATTR"):
        loop = light_loop(subject, found.at, _GAIN) if found.name == own else None
        if loop is not None and found.attribute not in stored:
            reads.setdefault((loop, found.attribute), []).append(found)
    for (_, attribute), sites in reads.items():
        if len(sites) < 2:
            continue
        yield subject.finding(
            CODE,
            f"{own}.{attribute} is read {len(sites)} times in each round of a loop",
            sites[0].at,
            evidence=[subject.seen(each.at) for each in sites[:4]],
            why=f"on CPython {subject.version} each read of an attribute searches a dictionary",
            instead=f"a local variable that holds {own}.{attribute}, if no call changes it",
        )
