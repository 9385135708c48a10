"""A loop reads an attribute of a class that has a metaclass

    class Shape(ABC):
        SIDES = 4

    for shape in shapes:
        total += Shape.SIDES            # generic: the class of Shape is ABCMeta

CPython 3.12 and 3.13 specialise the load of an attribute of a class only if the class of that class
is exactly `type`. 3.14 specialises it for others too, and the rule is silent.

The rule finds classes of the same file with `ABC`, `Protocol` or `metaclass=`; Enum members have a
rule of their own, PERF302.

Proved: a class statement of the file gives the class its metaclass, and nothing in the file binds
the name again. Assumed: no other module does.

Instead: a constant of the module, or a local variable.

Measured: nanoseconds that each operation loses, median on one machine. The builds of 3.8 to 3.13
are without PGO, those of 3.14.10 and 3.15.2 are Debian's, with it.

    CPython     3.8    3.9   3.10   3.11   3.12   3.13   3.14   3.15
    ns           -0     -0     -0    0.3   10.6   10.9      0   -0.3
"""

from __future__ import annotations

from collections.abc import Iterator

from coscope.audits.performance import pairs
from coscope.audits.performance.classes import with_metaclass
from coscope.audits.performance.hot import accesses
from coscope.audits.performance.many import busy_loop
from coscope.audits.prefilter.glances import Glance
from coscope.audits.subject.subject import Subject
from coscope.model import Finding

CODE = "PERF209"
SEVERITY = "info"
BEHAVIOUR = "metaclass_constants_stay_generic"
LOOPS = True
TIGHT = True
OPNAMES = frozenset({"LOAD_ATTR"})

PAIR = pairs.METACLASS
lower_bound = PAIR.lower_bound


def may_find(seen: Glance) -> bool:
    if not seen.names_a_class(tight=True):
        return False
    return "metaclass" in seen.file.words or seen.file.mentions("ABC", "Protocol")


def check(subject: Subject) -> Iterator[Finding]:
    classes = subject.unit.fact(with_metaclass)
    if classes.keys().isdisjoint(subject.code.names):
        return
    told = set()
    opnames = subject.opnames
    for found in accesses(subject, "LOAD_ATTR"):
        path = f"{found.name}.{found.attribute}"
        if found.kind != "global" or found.name not in classes or path in told:
            continue
        is_method = bool(subject.instructions.opargs[found.at] & 1)
        if is_method or opnames[found.at + 1] == "CALL":
            continue  # a method of a class has another form
        if busy_loop(subject, found.at) is not None:
            told.add(path)
            yield subject.finding(
                CODE,
                f"{path} is not specialised: the class of {found.name} is {classes[found.name]}",
                found.at,
                confidence="proved",
                evidence=[subject.seen(found.at)],
                why="only attributes of classes whose class is exactly type are specialised",
                instead=f"a constant of the module, or a local variable that holds {path}",
            )
