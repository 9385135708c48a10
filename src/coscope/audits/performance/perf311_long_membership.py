"""A loop looks for an item in a long tuple of constants

    for word in words:
        if word in ("if", "else", "for", "while", "def", "class", "with", "try"):
            ...                         # 41 to 83 ns more than in a set, if it is not among them

A tuple is compared item by item. A set of constants is made once, by the compiler, and asked by
hash.

The rule finds tuples of eight or more strings or numbers.

Proved: the tuple is a constant, and each complete round searches it. Not proved is that what is
looked for is hashable: `coscope audit --fix` changes only what the function shows to be.

Instead: `{...}`. What is looked for must be hashable then.

Measured: nanoseconds that each operation loses, median on one machine. The builds of 3.8 to 3.13
are without PGO, those of 3.14.10 and 3.15.2 are Debian's, with it.

    CPython     3.8    3.9   3.10   3.11   3.12   3.13   3.14   3.15
    ns         70.7   70.1   76.5     78   80.3   82.7   42.1     41
"""

from __future__ import annotations

from collections.abc import Iterator

from coscope.audits.calibration import Pair
from coscope.audits.performance.many import many_rounds
from coscope.audits.performance.rounds import light_loop
from coscope.audits.prefilter.glances import Glance
from coscope.audits.subject.subject import Subject
from coscope.model import Finding
from coscope.opcodes import table

CODE = "PERF311"
SEVERITY = "info"
LOOPS = True
OPNAMES = frozenset({"CONTAINS_OP", "COMPARE_OP"})
PAIR = Pair(
    "w in ('a1', 'a2', 'a3', 'a4', 'a5', 'a6', 'a7', 'a8')",
    "w in {'a1', 'a2', 'a3', 'a4', 'a5', 'a6', 'a7', 'a8'}",
    begin="w = 'b0'",
)
lower_bound = PAIR.lower_bound

_GAIN = 70.0  # nanoseconds: a loop is told only if that is a share of its round


_LEAST = 8  # items


def may_find(seen: Glance) -> bool:
    rows = table(seen.file.version).opcodes  # from 3.9 on COMPARE_OP is another thing
    if "CONTAINS_OP" in rows and rows["CONTAINS_OP"].code not in seen.inside(tight=False):
        return False
    return any(type(each) is tuple and len(each) >= _LEAST for each in seen.consts)


def check(subject: Subject) -> Iterator[Finding]:
    columns, opnames = subject.instructions, subject.opnames
    for index in subject.where("CONTAINS_OP", "COMPARE_OP"):
        if opnames[index] == "COMPARE_OP" and columns.argval(index) not in ("in", "not in"):
            continue
        items = columns.argval(index - 1) if opnames[index - 1] == "LOAD_CONST" else None
        if not isinstance(items, tuple) or len(items) < _LEAST:
            continue
        if not all(type(each) in (str, int, bytes) for each in items):
            continue
        loop = light_loop(subject, index, _GAIN)
        many = None if loop is None else many_rounds(subject, loop)
        if many is not None:
            yield subject.finding(
                CODE,
                f"a tuple of {len(items)} constants is searched item by item in each round",
                index,
                confidence="proved",
                evidence=[subject.seen(index), many],
                why="a set of constants is made once by the compiler, and asked by hash",
                instead="{...}, if what is looked for is always hashable",
            )
