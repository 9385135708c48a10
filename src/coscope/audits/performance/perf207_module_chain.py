"""A chain of package attributes is read in each round of a loop

    import a
    for value in values:
        total += a.b.c.SCALE            # four lookups, each time

Each step costs 1 to 4 ns, even specialised.

The rule finds a chain of three attributes or more that begins with a module that the file imports.

Instead: a local variable, or `from a.b.c import SCALE`.

Measured: nanoseconds that each operation loses, median on one machine. The builds of 3.8 to 3.13
are without PGO, those of 3.14.10 and 3.15.2 are Debian's, with it.

    CPython     3.8    3.9   3.10   3.11   3.12   3.13   3.14   3.15
    ns         43.5   44.5   54.8   14.6   11.8   12.9   13.1   13.2
"""

from __future__ import annotations

from collections.abc import Iterator

from coscope.audits.calibration import Pair
from coscope.audits.performance.hot import accesses
from coscope.audits.performance.many import busy_loop
from coscope.audits.prefilter.glances import Glance, follow
from coscope.audits.subject.names import module_bindings, module_imports
from coscope.audits.subject.subject import Subject
from coscope.model import Finding

CODE = "PERF207"
SEVERITY = "info"
BEHAVIOUR = "module_chains_cost"
LOOPS = True
TIGHT = True
OPNAMES = frozenset({"LOAD_ATTR"})

_SETUP = """\
from types import ModuleType
a = ModuleType("a"); a.b = ModuleType("b"); a.b.c = ModuleType("c"); a.b.c.d = 1
"""
PAIR = Pair("a.b.c.d", "d", _SETUP, "d = a.b.c.d")
lower_bound = PAIR.lower_bound


_CHAIN = ("LOAD_GLOBAL", "LOAD_ATTR", "LOAD_ATTR", "LOAD_ATTR")


def may_find(seen: Glance) -> bool:
    return follow(seen, _CHAIN, tight=True)


def check(subject: Subject) -> Iterator[Finding]:
    columns, opnames = subject.instructions, subject.opnames
    imports = subject.unit.fact(module_imports)
    bindings = subject.unit.fact(module_bindings)
    if imports.keys().isdisjoint(subject.code.names):
        return
    told = set()
    for found in accesses(subject, "LOAD_ATTR"):
        if found.kind != "global" or imports.get(found.name) != found.name:
            continue
        last = found.at
        while last + 1 < len(opnames) and opnames[last + 1] == "LOAD_ATTR":
            last += 1
        if last - found.at < 2 or bindings.get(found.name) != 1:
            continue
        names = [str(columns.argval(at)) for at in range(found.at, last + 1)]
        path = ".".join([found.name, *names])
        if path not in told and busy_loop(subject, last) is not None:
            told.add(path)
            yield subject.finding(
                CODE,
                f"{path} is looked up step by step in each round of a loop",
                last,
                evidence=[subject.seen(at) for at in range(found.at, last + 1)],
                why="each step takes time, even specialised",
                instead=f"a local variable, assigned before the loop, that holds {path}",
            )
