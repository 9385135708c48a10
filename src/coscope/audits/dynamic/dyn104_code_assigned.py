"""A function is given another code object.

`f.__code__ = other` changes what every holder of `f` calls, at once and without a trace in the
source of `f`. The interpreter checks the number of free variables and nothing else: not the
bytecode, not the constants. From 3.12 on an assignment also takes away the version by which calls
of the function are specialised; on 3.13 it is never given another one, so that each call takes
about 6 ns longer for good, a property three times as long.

    def install(function, code):
        function.__code__ = code

Make a new function instead: `coscope.patch` gives a verified copy and leaves the original alone.
"""

from __future__ import annotations

from collections.abc import Iterator

from coscope.audits.facts import Subject
from coscope.model import Finding

CODE = "DYN104"
SEVERITY = "warning"
NAMES = frozenset({"__code__"})

_WHY = {
    "3.13": "the code runs unchecked, and calls of the function are never specialised again",
}


def check(subject: Subject) -> Iterator[Finding]:
    for index in subject.where("STORE_ATTR"):
        if subject.instructions.argval(index) == "__code__":
            yield subject.finding(
                CODE,
                "the code object of a function is replaced",
                index,
                confidence="likely",
                evidence=[subject.seen(index)],
                why=_WHY.get(
                    subject.version, "the code runs unchecked, wherever the function is held"
                ),
                instead="make a new function: coscope.patch gives a verified copy",
            )
