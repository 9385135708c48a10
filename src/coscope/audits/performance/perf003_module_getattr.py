"""A name of a module with `__getattr__` is read where it is hot

    import lazy                     # lazy.py defines __getattr__

    def total(n):
        for _ in range(n):
            t += lazy.STEP          # generic, though STEP is an ordinary name of the module

To CPython 3.14 a `__getattr__` function in a module stops the specialisation of every attribute of
the module, also of those that it has itself. 3.15 specialises them, and the rule is silent.

The rule looks at code that has run: the site was generic hundreds of times in a row.

Proved: the interpreter's own counters say that the instruction stayed generic or missed, and the
cause is read from the live class or module. Assumed: what a sample saw there is what comes there;
where several causes fit, or none was seen, the finding is likely. A counter may be reset by a trace
(3.13 and later, with a JIT).

Instead: `from lazy import STEP`, or a local variable.

Measured: nanoseconds that each operation loses, median on one machine. The builds of 3.8 to 3.13
are without PGO, those of 3.14.10 and 3.15.2 are Debian's, with it.

    CPython     3.8    3.9   3.10   3.11   3.12   3.13   3.14   3.15
    ns           -0     -0   -0.1   16.1   17.6   19.2   14.3      0
"""

from __future__ import annotations

from collections.abc import Iterator

from coscope.audits.performance import pairs
from coscope.audits.performance.unspecialized import findings
from coscope.audits.subject.subject import Subject
from coscope.audits.warm.reason import MODULE_GETATTR
from coscope.model import Finding

CODE = "PERF003"
SEVERITY = "warning"
BEHAVIOUR = "module_getattr_stays_generic"
WARM = True

lower_bound = pairs.MODULE_GETATTR.lower_bound

_WHY = "no attribute of a module with a __getattr__ is specialised"
_INSTEAD = "import the name itself, or read {owner}.{attribute} once, before the loop"


def check(subject: Subject) -> Iterator[Finding]:
    yield from findings(subject, CODE, {MODULE_GETATTR}, _WHY, _INSTEAD)
