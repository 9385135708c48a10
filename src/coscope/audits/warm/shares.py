"""What share of its function's time one site can have: its round, and the samples in its loop."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping

from coscope.audits.subject.subject import Subject
from coscope.flow import dominates, find_dominators
from coscope.model import Finding


def instructions_a_round(subject: Subject, finding: Finding) -> tuple[int, int]:
    """Instructions that are executed each time that the site is, at least, and how many of them
    call: of a complete round of its loop, or of a call up to the site if it is in none."""
    at = index_of(subject, finding)
    indexes = _round(subject, at)
    opnames = subject.opnames
    return len(indexes), sum(opnames[each].startswith("CALL") for each in indexes if each != at)


def _round(subject: Subject, at: int) -> frozenset[int]:
    loop = subject.loop_at(at)
    if loop is not None:
        return loop.every_round - loop.inner | {at}
    if subject.graph is None:
        return frozenset([at])
    above = find_dominators(subject.graph)
    blocks = subject.graph.blocks
    (own,) = (block.index for block in blocks if block.start <= at < block.stop)
    return frozenset(
        index
        for block in blocks
        if dominates(above, block.index, own) and subject.loop_at(block.start) is None
        for index in range(block.start, min(block.stop, at + 1))
    )


def samples_around(
    subject: Subject, finding: Finding, places: Mapping[int, int]
) -> tuple[int, int]:
    """How many samples of its code were in the site's innermost loop but in no loop inside of it
    (of a site in no loop: in no loop), and how many there were.

    Args:
        subject: The code.
        finding: The site.
        places: The samples by offset in co_code, in bytes.
    """
    around = subject.loop_at(index_of(subject, finding))
    inside = 0
    for offset, count in places.items():
        # It is negative before the first instruction, and on 3.11 may be that of a cache.
        index = max(0, bisect_right(subject.instructions.offsets, offset) - 1)
        if subject.loop_at(index) == around:
            inside += count
    return inside, sum(places.values())


def index_of(subject: Subject, finding: Finding) -> int:
    """The instruction at which a finding is; 0 without one."""
    return 0 if finding.offset is None else subject.instructions.at(finding.offset).index
