"""A loop reads a field of a namedtuple several times

    point = Point(1, 2)
    for value in values:
        total += value * point.x + point.x      # 10 ns more than a local, each

A field of a namedtuple is a descriptor for which the interpreter has no specialised form.

The rule finds fields that each round reads at least twice: of a local to which the function assigns
nothing but a call of a namedtuple of the same file.

Proved: every assignment of the local is a call of the namedtuple of this file, and the loop does
not assign it. Assumed: nobody replaces the class.

Instead: unpack it, `x, y = point`, before the loop.

Measured: nanoseconds that each operation loses, median on one machine. The builds of 3.8 to 3.13
are without PGO, those of 3.14.10 and 3.15.2 are Debian's, with it.

    CPython     3.8    3.9   3.10   3.11   3.12   3.13   3.14   3.15
    ns          7.8    8.4   14.8   10.8   14.4   15.8    8.7    9.3
"""

from __future__ import annotations

from collections.abc import Iterator

from coscope.audits.calibration import Pair
from coscope.audits.performance.hot import Access, accesses, stored_locals
from coscope.audits.performance.many import busy_loop
from coscope.audits.performance.tuples import named_tuples_of
from coscope.audits.prefilter.glances import Glance
from coscope.audits.subject.origins import stores_of
from coscope.audits.subject.subject import Subject
from coscope.model import Finding

CODE = "PERF303"
SEVERITY = "info"
LOOPS = True
TIGHT = True
OPNAMES = frozenset({"LOAD_ATTR"})

_SETUP = """\
from collections import namedtuple
P = namedtuple("P", "x")
"""
PAIR = Pair("p.x", "x", _SETUP, "p = P(1); x = 1")
lower_bound = PAIR.lower_bound


def may_find(seen: Glance) -> bool:
    return "namedtuple" in seen.file.names


def check(subject: Subject) -> Iterator[Finding]:
    fields = named_tuples_of(subject.unit)
    if fields.keys().isdisjoint(subject.code.names):
        return
    reads: dict[tuple[str, str], list[Access]] = {}
    for found in accesses(subject, "LOAD_ATTR"):
        loop = busy_loop(subject, found.at) if found.kind == "local" else None
        if loop is not None and found.name not in stored_locals(subject, loop):
            reads.setdefault((found.name, found.attribute), []).append(found)
    made = {call.index: call.path for call in subject.calls if call.path in fields} if reads else {}
    for (name, field), sites in reads.items():
        if len(sites) < 2 or name in subject.code.varnames[: subject.code.argcount]:
            continue
        origins = [each for _, each in stores_of(subject, name)]
        if not origins or not all(each is not None and each <= made.keys() for each in origins):
            continue
        if all(field in fields[str(made[at])] for each in origins for at in each or ()):
            yield subject.finding(
                CODE,
                f"the field {name}.{field} of a namedtuple is read {len(sites)} times a round",
                sites[0].at,
                confidence="proved",
                evidence=[subject.seen(each.at) for each in sites[:4]],
                why="a field of a namedtuple is a descriptor without a specialised form",
                instead=f"a local variable, assigned before the loop, that holds {name}.{field}",
            )
