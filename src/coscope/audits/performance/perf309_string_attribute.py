"""A loop adds to a string that an attribute holds

    for line in lines:
        self.text += line + "\\n"       # copies the whole string each time

`text += more` of a local string can grow in place. Of an attribute it cannot: the old string is
still held by the instance, and all of it is copied. That is quadratic.

The rule finds `+=` where the right side is a string by its form: a constant, an f-string, or a sum
with one of them.

Instead: a list of parts, joined after the loop.

Measured: nanoseconds that each operation loses, median on one machine. The builds of 3.8 to 3.13
are without PGO, those of 3.14.10 and 3.15.2 are Debian's, with it.

    CPython     3.8    3.9   3.10   3.11   3.12   3.13   3.14   3.15
    ns        222.4  222.4  206.6   23.4   31.3  100.1   70.8    8.3
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from coscope.audits.calibration import Pair
from coscope.audits.performance.hot import hot_loop
from coscope.audits.performance.many import many_rounds
from coscope.audits.performance.rounds import is_test
from coscope.audits.prefilter.glances import Glance, holds_bytes
from coscope.audits.subject.subject import Subject
from coscope.model import Finding
from coscope.opcodes import table

CODE = "PERF309"
SEVERITY = "info"
LOOPS = True
OPNAMES = frozenset({"STORE_ATTR"})

_SETUP = """\
class Holder: pass
"""
PAIR = Pair(
    "o.s = ''; o.s += a; o.s += a; o.s += a",
    "s = ''; s += a; s += a; s += a",
    _SETUP,
    "o = Holder(); a = 'x' * 2000",
)
lower_bound = PAIR.lower_bound


_STRINGS = frozenset({"BUILD_STRING", "FORMAT_VALUE", "FORMAT_SIMPLE", "FORMAT_WITH_SPEC"})
_SUMS = frozenset({"BINARY_OP", "BINARY_ADD", "INPLACE_ADD"})


def may_find(seen: Glance) -> bool:
    return holds_bytes(seen, _sums(seen.file.version), seen.spans(tight=False))


@cache
def _sums(version: str) -> tuple[bytes, ...]:
    """The instructions that add in place: opcode and low byte of the oparg."""
    rules = table(version)
    if "BINARY_OP" not in rules.opcodes:
        return tuple(bytes((rules.opcodes["INPLACE_ADD"].code, oparg)) for oparg in range(256))
    return (bytes((rules.opcodes["BINARY_OP"].code, rules.lists["binary"].index("+="))),)


def check(subject: Subject) -> Iterator[Finding]:
    opnames, columns = subject.opnames, subject.instructions
    for index in subject.where("STORE_ATTR"):
        loop = hot_loop(subject, index)
        taken = subject.takers.get(index) if loop is not None else None
        if taken is None or len(taken[1]) != 2 or len(taken[1][0]) != 1:
            continue
        (added,) = taken[1][0]
        if added < 0 or not _adds(subject, added) or added not in subject.takers:
            continue
        left, right = subject.takers[added][1]
        if len(left) != 1 or min(left) < 0 or opnames[min(left)] not in ("LOAD_ATTR",):
            continue
        if loop is None or is_test(subject) or (many := many_rounds(subject, loop)) is None:
            continue
        if columns.argval(min(left)) == columns.argval(index) and _is_string(subject, right, 4):
            name = columns.argval(index)
            yield subject.finding(
                CODE,
                f"a string is added to the attribute {name} in each round of a loop",
                index,
                evidence=[subject.seen(added), subject.seen(index), many],
                why="a string that an attribute holds is copied as a whole each time",
                instead="a list of parts, joined after the loop",
            )


def _adds(subject: Subject, index: int) -> bool:
    name = subject.opnames[index]
    if name == "BINARY_OP":
        return bool(
            subject.instructions.argval(index) == "+="
            or subject.instructions.argrepr(index) == "+="
        )
    return name == "INPLACE_ADD"


def _is_string(subject: Subject, made_by: frozenset[int], depth: int) -> bool:
    if len(made_by) != 1 or min(made_by) < 0 or not depth:
        return False
    (index,) = made_by
    name = subject.opnames[index]
    if subject.instructions.opcodes[index] in subject.rules.constants:
        return type(subject.instructions.argval(index)) is str
    if name in _STRINGS:
        return True
    if name in _SUMS and subject.instructions.argrepr(index) in ("+", ""):
        taken = subject.takers.get(index)
        return taken is not None and any(_is_string(subject, each, depth - 1) for each in taken[1])
    return False
