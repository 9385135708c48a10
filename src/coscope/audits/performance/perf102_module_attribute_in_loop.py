"""An attribute of a module is read again and again in a loop

    for value in values:
        total += math.sqrt(value)       # two lookups, each time

To CPython 3.10 `math.sqrt()` costs 28 ns more than a local name for it. From 3.11 on it costs 1.5
to 3 ns, and the rule is silent.

The rule finds a name that an import of the module binds, in each round of a loop.

Proved: an import of the module binds the name, and each complete round reads the attribute.
Assumed: nobody replaces it meanwhile.

Instead: `from math import sqrt`, or a local variable that is assigned before the loop.

Measured: nanoseconds that each operation loses, median on one machine. The builds of 3.8 to 3.13
are without PGO, those of 3.14.10 and 3.15.2 are Debian's, with it.

    CPython     3.8    3.9   3.10   3.11   3.12   3.13   3.14   3.15
    ns         15.4   15.7   19.3    4.1      2    1.8      5      5
"""

from __future__ import annotations

from collections.abc import Iterator

from coscope.audits.calibration import Pair
from coscope.audits.performance.hot import LOADS, accesses
from coscope.audits.performance.rounds import light_loop
from coscope.audits.subject.names import module_bindings, module_imports
from coscope.audits.subject.subject import Subject
from coscope.model import Finding

CODE = "PERF102"
SEVERITY = "info"
BEHAVIOUR = "module_attributes_cost"
LOOPS = True
OPNAMES = frozenset({"LOAD_ATTR", "LOAD_METHOD"})
PAIR = Pair("math.sqrt", "f", "import math", "f = math.sqrt")
lower_bound = PAIR.lower_bound

_GAIN = 28.0  # nanoseconds: a loop is told only if that is a share of its round


def check(subject: Subject) -> Iterator[Finding]:
    told = set()
    imports = subject.unit.fact(module_imports)
    bindings = subject.unit.fact(module_bindings)
    for found in accesses(subject, *LOADS):
        path = f"{found.name}.{found.attribute}"
        meaning = imports.get(found.name)
        if found.kind != "global" or meaning is None or bindings.get(found.name) != 1:
            continue
        loop = light_loop(subject, found.at, _GAIN)
        # A name from a module may be a class or an object: only `import x` proves a module.
        if loop is None or path in told or meaning != found.name:
            continue
        told.add(path)
        yield subject.finding(
            CODE,
            f"the attribute {path} of a module is looked up in each round of a loop",
            found.at,
            confidence="proved",
            evidence=[subject.seen(found.at - 1), subject.seen(found.at)],
            why=f"on CPython {subject.version} that is two lookups in dictionaries, each time",
            instead=f"a local variable, assigned before the loop, that holds {path}",
        )
