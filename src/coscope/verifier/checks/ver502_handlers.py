"""A protected range or its handler is no place in the code.

When an exception is raised, the interpreter jumps to the handler that the table names, without a
look at where that is. Outside the code it runs what lies in memory; in an inline cache, or behind
an EXTENDED_ARG prefix, it runs other instructions than those that are written down. A range whose
ends lie inside instructions protects other instructions than those that were looked at.

    L1 to L2 -> 400     the code has 60 bytes
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from coscope.model import Region
from coscope.verifier.report import Violation
from coscope.verifier.subject import Subject

CODE = "VER502"


def check(subject: Subject) -> Iterable[Violation]:
    if not subject.code.exceptiontable or subject.structural or subject.instructions is None:
        return ()
    regions = subject.regions
    return () if regions is None else _wrong(subject, regions)


def _wrong(subject: Subject, regions: list[Region]) -> Iterator[Violation]:
    starts, size = subject.starts, len(subject.code.code)
    for region in regions:
        places = (("start", region.start), ("stop", region.stop), ("handler", region.target))
        for what, place in places:
            if place in starts or (what == "stop" and place == size):
                continue
            last = size if what == "stop" else size - 2
            inside = 0 <= place <= last
            yield subject.violation(
                CODE,
                f"the {what} of a protected range is no instruction",
                offset=region.start,
                expected="the start of an instruction" if inside else f"an offset in 0 to {last}",
                found=place,
            )
