"""A function is edited in place, so calls of it are not specialised any more

    f.__defaults__ = (1,)               # or __kwdefaults__, __code__; also types.FunctionType(...)

From CPython 3.13 on a function whose code or defaults were assigned, even to themselves, has no
version for good (gh-117045), and calls of it are not specialised: 3 to 5 ns a call, and 24 to
28 ns for a property on 3.13 and 3.15.

The rule finds the assignment, but not that to `__new__`, which only C calls, nor that to what
`types.FunctionType(...)` has made: such a function never had a version (DYN105). Whether the
function is hot, only a run can show.

Instead: a new function, made by running its `def` with other defaults.

Measured: nanoseconds that each operation loses, median on one machine. The builds of 3.8 to 3.13
are without PGO, those of 3.14.10 and 3.15.2 are Debian's, with it.

    CPython     3.8    3.9   3.10   3.11   3.12   3.13   3.14   3.15
    ns         -0.4   -0.1      0     -0   -0.1    5.5    4.1    2.8
"""

from __future__ import annotations

from collections.abc import Iterator

from coscope.audits.calibration import Pair
from coscope.audits.performance.hot import name_before
from coscope.audits.prefilter.glances import Glance, uses
from coscope.audits.subject.names import callee_of
from coscope.audits.subject.origins import sources_of
from coscope.audits.subject.subject import Subject
from coscope.model import Finding

CODE = "PERF210"
SEVERITY = "info"
BEHAVIOUR = "functions_lose_version"

_SETUP = """\
def edited(): pass
def plain(): pass
edited.__defaults__ = None
"""
PAIR = Pair("f()", "g()", _SETUP, "f, g = edited, plain")
lower_bound = PAIR.lower_bound


_EDITS = ("__code__", "__defaults__", "__kwdefaults__")
OPNAMES = frozenset({"STORE_ATTR"})
NAMES = frozenset(_EDITS)


def may_find(seen: Glance) -> bool:
    return uses(seen, OPNAMES, NAMES, seen.whole())


def check(subject: Subject) -> Iterator[Finding]:
    for index in subject.where("STORE_ATTR"):
        name = subject.instructions.argval(index)
        if name not in _EDITS:
            continue
        owner = name_before(subject, index)
        held = owner[1] if owner is not None else "a function"
        if owner is not None and owner[1] in ("self", "cls"):
            continue  # an attribute of that name of another object
        if name == "__code__" and not _is_code(subject, index):
            continue
        if held == "__new__" or _is_of_new(subject, index):
            continue  # called by C alone, which specialises nothing
        if _is_made_by_hand(subject, index):
            continue  # it had no version before: DYN105 reports that
        yield subject.finding(
            CODE,
            f"the store to {name} of {held} keeps calls of it from being specialised",
            index,
            evidence=[subject.seen(index)],
            why=f"on CPython {subject.version} such a function has no version any more",
            instead="a new function, made by its def",
        )


def _is_made_by_hand(subject: Subject, index: int) -> bool:
    """True if `types.FunctionType(...)` made the function, which is what takes its version."""
    taken = subject.takers.get(index)
    if taken is None:
        return False
    made = {call.index for call in subject.calls if callee_of(subject, call) in _MAKERS}
    found = sources_of(subject, taken[1][-1]) if made else ()
    return bool(found) and all(each.index in made for each in found)


_MAKERS = ("types.FunctionType", "types.LambdaType")


def _is_of_new(subject: Subject, index: int) -> bool:
    """True of an attribute of what was read as `__new__`."""
    taken = subject.takers.get(index)
    return taken is not None and all(
        at >= 0 and subject.instructions.argval(at) == "__new__" for at in taken[1][-1]
    )


def _is_code(subject: Subject, index: int) -> bool:
    """True if what is stored is made by `.__code__` or `.replace(...)`, as code objects are."""
    taken = subject.takers.get(index)
    if taken is None or len(taken[1][0]) != 1:
        return False
    made = min(taken[1][0])
    if made >= 0 and subject.opnames[made] == "LOAD_ATTR":
        return bool(subject.instructions.argval(made) == "__code__")
    return any(
        call.index == made and (call.path or "").endswith(".replace") for call in subject.calls
    )
