"""A `__signature__` that was set admits a call that the code rejects.

`inspect.signature` believes `__signature__` without a look at the code. Where somebody has set it
to less or other than the code accepts, it misleads every tool that asks.

    def run(*args): ...
    run.__signature__ = inspect.Signature([Parameter("key", KEYWORD_ONLY)])

    run(key=1)                            fits what is reported, raises TypeError

Compute it from the code: `inspect.signature(inner).replace(parameters=...)`.
"""

from __future__ import annotations

from collections.abc import Iterator

from coscope.audits.signature.callables import declares
from coscope.audits.signature.sig101_admits_too_much import asked, untrue
from coscope.audits.subject.subject import Subject
from coscope.model import Finding

CODE = "SIG102"
SEVERITY = "error"
LIVE = True


def check(subject: Subject) -> Iterator[Finding]:
    for name, found in asked(subject):
        if declares(found):
            yield from untrue(subject, name, found, CODE)
