"""co_flags has a bit that no compiler sets.

The interpreter acts on bits that only its own code objects have: with 0x2000000 (3.13 and later,
NO_MONITORING_EVENTS) code is never instrumented, and where its events are wanted it asks for ever.
What an unassigned bit does is not known.

    co_flags = 0x2000003        hangs under sys.monitoring
"""

from __future__ import annotations

from collections.abc import Iterable

from coscope.model import Flags
from coscope.verifier.report import Violation
from coscope.verifier.subject import Subject

CODE = "VER807"


def check(subject: Subject) -> Iterable[Violation]:
    known = subject.rules.numbers.get("known_flags")
    if known is None or not subject.code.flags & ~known:
        return ()
    unknown = Flags(subject.code.flags & ~known)
    names = " and ".join(unknown.names) if unknown >= 0 else str(int(unknown))
    return (
        subject.violation(
            CODE, "co_flags has bits that no compiler sets", expected=hex(known), found=names
        ),
    )
