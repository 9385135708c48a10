"""A loop reads a name of a module that has `__getattr__`

    import lazy                         # lazy.py defines __getattr__

    for value in values:
        total += value * lazy.STEP      # generic, though STEP is an ordinary name of the module

To CPython 3.14 a `__getattr__` function in a module stops the specialisation of every attribute of
the module, also of those that it has itself. 3.15 specialises them, and the rule is silent.
PERF003 reports the same of code that has run.

The rule looks at the live module that the global name holds. It is silent where the loop stores
items or cuts slices: with arrays those take much longer; and in comprehensions, which in real code
go over a few fields or names.

Proved: the live module that the global name holds now has a `__getattr__`. Assumed: it stays so.

Instead: `from lazy import STEP`, or a local variable.

Measured: nanoseconds that each operation loses, median on one machine. The builds of 3.8 to 3.13
are without PGO, those of 3.14.10 and 3.15.2 are Debian's, with it.

    CPython     3.8    3.9   3.10   3.11   3.12   3.13   3.14   3.15
    ns           -0      0      0   16.2   17.2   19.6   14.5      0
"""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType

from coscope.audits.performance import pairs
from coscope.audits.performance.hot import LOADS, accesses
from coscope.audits.performance.many import busy_loop
from coscope.audits.subject.subject import Subject
from coscope.model import Finding
from coscope.readers.attributes import is_a, member

CODE = "PERF206"
SEVERITY = "info"
BEHAVIOUR = "module_getattr_stays_generic"
LOOPS = True
LIVE = True

PAIR = pairs.MODULE_GETATTR
lower_bound = PAIR.lower_bound


_ITEMS = ("STORE_SUBSCR", "BUILD_SLICE", "BINARY_SLICE", "STORE_SLICE")
_COLLECTS = ("LIST_APPEND", "SET_ADD", "MAP_ADD")  # of a comprehension


def check(subject: Subject) -> Iterator[Finding]:
    live = subject.live
    if live is None or live.function is None or not subject.jumps_back:
        return
    if subject.code.kind == "generator expression":
        return
    told = set()
    for found in accesses(subject, *LOADS):
        path = f"{found.name}.{found.attribute}"
        module = dict.get(live.function.__globals__, found.name)
        if found.kind != "global" or path in told or not is_a(module, ModuleType):
            continue
        namespace = member(ModuleType, "__dict__", module)
        if "__getattr__" not in namespace or found.attribute == "newaxis":
            continue
        loop = busy_loop(subject, found.at)
        if loop is not None and loop.indexes.isdisjoint(subject.where(*_ITEMS, *_COLLECTS)):
            told.add(path)
            yield subject.finding(
                CODE,
                f"{path} is not specialised: the module has a __getattr__",
                found.at,
                confidence="proved",
                evidence=[subject.seen(found.at), f"{found.name}.__getattr__ is defined"],
                why="no attribute of a module with a __getattr__ is specialised",
                instead=f"import {found.attribute} itself, or a local variable that holds it",
            )
