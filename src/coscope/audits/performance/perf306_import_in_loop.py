"""A loop imports

    for path in paths:
        import json                     # 65 to 85 ns each time, though it is loaded already
        from json import loads          # 160 to 630 ns

The rule tells imports in a function that each round of a loop executes.

Instead: the import at the top of the function or the module.

Measured: nanoseconds that each operation loses, median on one machine, builds without PGO.

    CPython     3.8    3.9   3.10   3.11   3.12   3.13
    ns         47.2   47.2   50.4   47.1   52.2     55
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
