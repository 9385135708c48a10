"""An instruction that is hot is not specialised

    total = point.x                 # of a namedtuple: a descriptor for which there is no form

The site was generic hundreds of times in a row, for none of the reasons of PERF001 to PERF008. The
finding says what the attribute is, if that can be told, and which types were seen.

It is a fact about the interpreter, not yet advice: some operations have no specialised form in this
version, and then nothing can be done but to do them less often.
"""

from __future__ import annotations

from collections.abc import Iterator

from coscope.audits.facts import Subject
from coscope.audits.performance.unspecialized import findings
from coscope.audits.reasons import CONSTANT, OTHER
from coscope.model import Finding

CODE = "PERF009"
SEVERITY = "info"
VERSIONS = "3.11-"
WARM = True

_WHY = "it runs in the generic form, which looks everything up anew"
_INSTEAD = "do it less often: keep its result in a local variable, if it cannot change in between"


def check(subject: Subject) -> Iterator[Finding]:
    yield from findings(subject, CODE, {OTHER, CONSTANT}, _WHY, _INSTEAD)
