"""A loop imports

    for path in paths:
        import json                     # 65 to 85 ns each time, though it is loaded already
        from json import loads          # 160 to 630 ns

The rule finds imports in a function that each round of a loop executes.

Proved: each complete round executes the import. Assumed: the module is loaded already, and
importing it earlier does no harm.

Instead: the import at the top of the function or the module.

Measured: nanoseconds that each operation loses, median on one machine. The builds of 3.8 to 3.13
are without PGO, those of 3.14.10 and 3.15.2 are Debian's, with it.

    CPython     3.8    3.9   3.10   3.11   3.12   3.13   3.14   3.15
    ns         62.8     59   61.4     62   69.6   73.2   48.4   57.3
"""

from __future__ import annotations

from collections.abc import Iterator

from coscope.audits.calibration import Pair
from coscope.audits.performance.rounds import light_loop
from coscope.audits.prefilter.glances import Glance
from coscope.audits.subject.subject import Subject
from coscope.model import Finding

CODE = "PERF306"
SEVERITY = "warning"
LOOPS = True
OPNAMES = frozenset({"IMPORT_NAME"})
PAIR = Pair("import json", "json", begin="import json")
lower_bound = PAIR.lower_bound

_GAIN = 70.0  # nanoseconds: a loop is told only if that is a share of its round


def may_find(seen: Glance) -> bool:
    return seen.parent is not None


def check(subject: Subject) -> Iterator[Finding]:
    if subject.code.kind == "module":
        return
    for index in subject.where("IMPORT_NAME"):
        if light_loop(subject, index, _GAIN) is not None:
            name = subject.instructions.argval(index)
            yield subject.finding(
                CODE,
                f"{name} is imported in each round of a loop",
                index,
                confidence="proved",
                evidence=[subject.seen(index)],
                why="an import that is done already still looks for its module each time",
                instead="the import before the loop",
            )
