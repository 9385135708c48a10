"""A loop reads an Enum member through its class

    for token in tokens:
        if token.kind is Kind.NAME:     # 9 to 12 ns on 3.12 to 3.14, 70 to 77 ns before
            ...

The class of an Enum class is `EnumType`, so to 3.14 reading its attributes is not specialised; to
3.11 a member is found by `__getattr__`. 3.15 specialises it, and the rule is silent. `.value` and
`.name` are properties: 60 ns more and above, on every version.

The rule finds Enum classes of the same file, in each round of a tight loop.

Proved: a class statement of the file makes the Enum class, and nothing in the file binds its name
again. Assumed: no other module does, and `enum` is the standard library's.

Instead: a constant of the module, `NAME = Kind.NAME`, or a local variable.

Measured: nanoseconds that each operation loses, median on one machine. The builds of 3.8 to 3.13
are without PGO, those of 3.14.10 and 3.15.2 are Debian's, with it.

    CPython     3.8    3.9   3.10   3.11   3.12   3.13   3.14   3.15
    ns         59.9   58.5   70.6   66.5   12.3   13.2    9.5    3.7
"""

from __future__ import annotations

from collections.abc import Iterator

from coscope.audits.calibration import Pair
from coscope.audits.performance.classes import enums_of
from coscope.audits.performance.hot import accesses
from coscope.audits.performance.many import many_rounds
from coscope.audits.performance.rounds import brief_loop
from coscope.audits.prefilter.glances import Glance
from coscope.audits.subject.subject import Subject
from coscope.model import Finding

CODE = "PERF302"
SEVERITY = "info"
BEHAVIOUR = "enum_members_cost"
LOOPS = True
TIGHT = True
OPNAMES = frozenset({"LOAD_ATTR"})

_SETUP = """\
import enum
class K(enum.Enum): x = 1
"""
PAIR = Pair("K.x", "x", _SETUP, "x = K.x")
lower_bound = PAIR.lower_bound


def may_find(seen: Glance) -> bool:
    return seen.names_a_class(tight=True) and seen.file.mentions("Enum", "Flag")


def check(subject: Subject) -> Iterator[Finding]:
    enums = enums_of(subject.unit)
    if enums.isdisjoint(subject.code.names):
        return
    told = set()
    for found in accesses(subject, "LOAD_ATTR"):
        path = f"{found.name}.{found.attribute}"
        if found.kind != "global" or found.name not in enums or path in told:
            continue
        loop = None if found.attribute.startswith("_") else brief_loop(subject, found.at)
        many = None if loop is None else many_rounds(subject, loop)
        if many is None:
            continue
        told.add(path)
        yield subject.finding(
            CODE,
            f"the Enum member {path} is looked up in each round of a loop",
            found.at,
            confidence="proved",
            evidence=[subject.seen(found.at), f"{found.name} is an Enum class of this file", many],
            why="an attribute of a class with a metaclass is not specialised",
            instead=f"a constant of the module, or a local variable that holds {path}",
        )
