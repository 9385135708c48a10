"""An attribute is not where the specialised instruction looks for it

    for order in orders:
        vars(order)                 # or order.__dict__: gives it a dictionary of its own
        total += order.price        # a lookup in that dictionary, but on 3.13

Instances keep their attributes in a plain array until somebody asks for their dictionary. To 3.13.0
an instruction that was specialised for the array misses on an instance that has a dictionary; so it
does where instances got the same attributes in different orders. On 3.13.5 stores to such
instances are not specialised, on 3.14 and 3.15 loads are not either; a load on 3.13 loses nothing.

The rule looks at code that has run: the site kept missing, though objects of one type alone were
seen there, or was generic hundreds of times in a row, and the attribute is the instances' own.

Proved: the interpreter's own counters say that the instruction stayed generic or missed, and the
cause is read from the live class or module. Assumed: what a sample saw there is what comes there;
where several causes fit, or none was seen, the finding is likely. A counter may be reset by a trace
(3.13 and later, with a JIT).

Instead: `getattr` and `setattr` for single names, `dataclasses.fields`, or `__slots__`; and assign
all attributes in `__init__`, always in the same order.

Measured: nanoseconds that each operation loses, median on one machine. The builds of 3.8 to 3.13
are without PGO, those of 3.14.10 and 3.15.2 are Debian's, with it.

    CPython     3.8    3.9   3.10   3.11   3.12   3.13   3.14   3.15
    ns            0      0   -1.2   18.5   20.8    7.7   10.7   10.7
"""

from __future__ import annotations

from collections.abc import Iterator

from coscope.audits.calibration import Pair
from coscope.audits.performance.unspecialized import findings
from coscope.audits.subject.subject import Subject
from coscope.audits.warm.reason import OWN_DICT
from coscope.model import Finding

CODE = "PERF004"
SEVERITY = "warning"
BEHAVIOUR = "own_dicts_cost"
WARM = True

_SETUP = """\
class Plain:
    def __init__(self): self.x = 1
opened, plain = Plain(), Plain()
vars(opened)
"""
lower_bound = Pair(
    "o.x = o.x", "p.x = p.x", _SETUP, "o, p = opened, plain", operations=2
).lower_bound

_WHY = "an instance that was asked for its __dict__ keeps its attributes in another way"
_INSTEAD = (
    "do not ask the instances for their __dict__, and assign all attributes in __init__"
    " in one order"
)


def check(subject: Subject) -> Iterator[Finding]:
    yield from findings(subject, CODE, {OWN_DICT}, _WHY, _INSTEAD)
