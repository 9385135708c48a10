"""A bound `append` in a local variable is slower than the method call

    append = out.append                 # the classic hoist, of use to CPython 3.10
    for value in values:
        append(value)

From 3.11 on `out.append(value)` has a specialised form that calls `list.append` directly; the call
of a bound method in a local has none of that kind.

The rule finds a local that holds the `append` of a new list and that a loop calls.

Proved: the local holds `append` of a list that the function has made. Assumed: nothing beyond the
builtin `list`.

Instead: the method call.

Measured: nanoseconds that each operation loses, median on one machine. The builds of 3.8 to 3.13
are without PGO, those of 3.14.10 and 3.15.2 are Debian's, with it.

    CPython     3.8    3.9   3.10   3.11   3.12   3.13   3.14   3.15
    ns          -12   -5.9   -9.4    2.7    3.1      3    0.6    2.3
"""

from __future__ import annotations

from collections.abc import Iterator

from coscope.audits.calibration import Pair
from coscope.audits.performance.hot import accesses
from coscope.audits.performance.lists import new_lists
from coscope.audits.performance.rounds import light_loop
from coscope.audits.prefilter.glances import Glance, uses
from coscope.audits.subject.origins import stores_of
from coscope.audits.subject.subject import Subject
from coscope.model import Finding

CODE = "PERF201"
SEVERITY = "info"
BEHAVIOUR = "bound_appends_cost"
LOOPS = True
NAMES = frozenset({"append"})
_APPEND = NAMES
PAIR = Pair("a(1)", "l.append(1)", begin="l = []; a = l.append")
lower_bound = PAIR.lower_bound

_GAIN = 2.5  # nanoseconds: a loop is told only if that is a share of its round


def may_find(seen: Glance) -> bool:
    return uses(seen, ("LOAD_ATTR",), _APPEND, seen.whole(), plain=True)


def check(subject: Subject) -> Iterator[Finding]:
    bound = {
        found.at: found.name
        for found in accesses(subject, "LOAD_ATTR", of=_APPEND)
        if found.kind == "local"
    }
    called = {call.path for call in subject.calls if call.root == "local"} if bound else set()
    if not called:
        return
    lists = new_lists(subject)
    for name in subject.code.varnames:
        made = [origins for _, origins in stores_of(subject, name)] if name in called else []
        if len(made) != 1 or made[0] is None or len(made[0]) != 1:
            continue
        held = bound.get(min(made[0]))
        if held is None or held not in lists:
            continue
        for call in subject.calls:
            if call.path == name and light_loop(subject, call.index, _GAIN) is not None:
                yield subject.finding(
                    CODE,
                    f"{name} holds {held}.append: calling the method itself is faster",
                    call.index,
                    confidence="proved",
                    evidence=[subject.seen(min(made[0])), subject.seen(call.index)],
                    why=f"on CPython {subject.version} the method call has a specialised form",
                    instead=f"{held}.append(...) in the loop",
                )
                break
