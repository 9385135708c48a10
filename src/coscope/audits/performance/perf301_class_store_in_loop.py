"""A loop stores an attribute of a class

    for order in orders:
        Order.seen += 1                 # 54 to 86 ns more than an item of a list
        total += order.price            # and this is not specialised any more

Each store gives the class a new version. From 3.11 on every specialised access to the class and its
instances misses then; to 3.10 the method cache is emptied.

The rule finds classes of the same file by their names, and the first parameter `cls` of a method.

Proved: the name is bound once in the file, by a class statement, and each complete round stores to
it. Of `cls` that is likely.

Instead: a local variable that is stored once after the loop, or an item of a list.

Measured: nanoseconds that each operation loses, median on one machine. The builds of 3.8 to 3.13
are without PGO, those of 3.14.10 and 3.15.2 are Debian's, with it.

    CPython     3.8    3.9   3.10   3.11   3.12   3.13   3.14   3.15
    ns         24.4   22.9   28.9   40.4   50.9   48.9   28.4   33.4
"""

from __future__ import annotations

from collections.abc import Iterator

from coscope.audits.performance import pairs
from coscope.audits.performance.classes import class_names, classes_of
from coscope.audits.performance.hot import accesses, first_parameter
from coscope.audits.performance.rounds import light_loop
from coscope.audits.prefilter.glances import Glance, first_parameter_of
from coscope.audits.subject.subject import Subject
from coscope.model import Finding

CODE = "PERF301"
SEVERITY = "warning"
LOOPS = True
OPNAMES = frozenset({"STORE_ATTR"})

PAIR = pairs.CLASS_STORE
lower_bound = PAIR.lower_bound

_GAIN = 60.0  # nanoseconds: a loop is told only if that is a share of its round


def may_find(seen: Glance) -> bool:
    return seen.names_a_class() or first_parameter_of(seen.code) == "cls"


def check(subject: Subject) -> Iterator[Finding]:
    named = not class_names(subject.unit).isdisjoint(subject.code.names)
    if not named and first_parameter(subject) != "cls":
        return
    told = set()
    for found in accesses(subject, "STORE_ATTR"):
        path = f"{found.name}.{found.attribute}"
        if path in told or light_loop(subject, found.at, _GAIN) is None:
            continue
        if found.kind == "global":
            known = found.name in classes_of(subject.unit)
        else:
            known = found.name == "cls" == first_parameter(subject)
        if known:
            told.add(path)
            yield subject.finding(
                CODE,
                f"the store to {path} changes a class in each round",
                found.at,
                confidence="proved" if found.kind == "global" else "likely",
                evidence=[subject.seen(found.at), f"{found.name} is a class"],
                why="each store to a class undoes what was cached for it and its instances",
                instead="a local variable, stored to the class once after the loop",
            )
