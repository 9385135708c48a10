"""A loop asks `isinstance` for an abstract base class

    for item in items:
        if isinstance(item, Mapping):   # 114 to 173 ns more than for dict
            ...

`isinstance` of an abstract base class calls `ABCMeta.__instancecheck__`, which looks into its
caches. Of a class whose class is `type` it compares pointers.

The rule finds the classes of `collections.abc` and `numbers`, and their aliases in `typing`. Of a
program's own abstract classes there is mostly no concrete one to ask for first.

Proved: the name is an import of an abstract class, and each complete round asks. Assumed:
`isinstance` is the builtin, and the concrete class that comes most often is worth asking for.

Instead: a concrete class first, `isinstance(item, dict) or isinstance(item, Mapping)`.

Measured: nanoseconds that each operation loses, median on one machine. The builds of 3.8 to 3.13
are without PGO, those of 3.14.10 and 3.15.2 are Debian's, with it.

    CPython     3.8    3.9   3.10   3.11   3.12   3.13   3.14   3.15
    ns        120.3  115.2  120.8     95  137.2  133.2   78.8   90.5
"""

from __future__ import annotations

import collections.abc
from collections.abc import Iterator

from coscope.audits.calibration import Pair
from coscope.audits.performance.many import many_rounds
from coscope.audits.performance.rounds import light_loop
from coscope.audits.prefilter.glances import Glance, lookups, uses
from coscope.audits.subject.calls import dotted
from coscope.audits.subject.names import callee_of, module_imports, resolved
from coscope.audits.subject.subject import Subject, Unit
from coscope.model import Finding

CODE = "PERF304"
SEVERITY = "info"
LOOPS = True
NAMES = frozenset({"isinstance"})
PAIR = Pair(
    "isinstance(d, M)", "isinstance(d, dict)", "from collections.abc import Mapping as M", "d = {}"
)
lower_bound = PAIR.lower_bound

_GAIN = 100.0  # nanoseconds: a loop is told only if that is a share of its round


_MODULES = ("collections", "numbers", "typing")
_ALIASES = frozenset(collections.abc.__all__)


def may_find(seen: Glance) -> bool:
    if not uses(seen, lookups(seen.file.version), NAMES, seen.spans(tight=False)):
        return False
    return not seen.file.roots.isdisjoint(_MODULES)


def check(subject: Subject) -> Iterator[Finding]:
    if subject.unit.fact(_candidates).isdisjoint(subject.code.names) or not subject.loops:
        return
    for call in subject.calls:
        if call.path != "isinstance" or len(call.positional) != 2:
            continue
        loop = light_loop(subject, call.index, _GAIN)
        if loop is None or callee_of(subject, call) != "isinstance":
            continue
        root, path = dotted(subject.code, call.positional[1], subject.takers)
        meaning = resolved(subject, path, root) or path
        if path is None or meaning is None or root == "local" or not _is_abstract(meaning):
            continue
        many = many_rounds(subject, loop)
        if many is None:
            continue
        yield subject.finding(
            CODE,
            f"isinstance of the abstract class {path} in each round of a loop",
            call.index,
            confidence="proved",
            evidence=[subject.seen(call.index), f"{path} is {meaning}", many],
            why="it calls ABCMeta.__instancecheck__; of a concrete class it compares pointers",
            instead="callable()"
            if meaning.endswith(".Callable")
            else "ask for the concrete class that comes most often first",
        )


def _candidates(unit: Unit) -> frozenset[str]:
    """The module's names with which a path to an abstract class may begin."""
    return frozenset(
        name
        for name, meaning in unit.fact(module_imports).items()
        if meaning.partition(".")[0] in _MODULES
    )


def _is_abstract(meaning: str) -> bool:
    module, _, name = meaning.rpartition(".")
    return module in ("collections.abc", "numbers") or (module == "typing" and name in _ALIASES)
