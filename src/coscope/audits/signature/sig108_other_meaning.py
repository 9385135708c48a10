"""A string annotation means something else in the wrapper's module.

`functools.wraps` copies annotations as they are. A string among them is meant for the globals of
the module in which the function was written; a consumer that takes `wrapper.__globals__` without
unwrapping first looks it up in the decorator's module and finds another object of the same name.

    # shapes.py:  from decimal import Decimal as Number
    # tools.py:   from numbers import Number        and the decorator

    @tools.cached
    def area(width: "Number"): ...        "Number" is decimal.Decimal here, numbers.Number there

Not reported are a name that is only missing there, since consumers then fail loudly, and a type
variable of the same name, which means the same.

Proved: both modules bind the name, to different objects, now. Assumed: a consumer takes the globals
of the wrapper.

Let consumers call `inspect.unwrap` first, or write annotations without quotes.
"""

from __future__ import annotations

from collections.abc import Iterator

from coscope.audits.signature.callables import functions_in, signatures_of, told
from coscope.audits.subject.subject import Subject
from coscope.model import Finding

CODE = "SIG108"
SEVERITY = "info"
LIVE = True

_SAME = ("is not defined", "TypeVar at", "ParamSpec at", "TypeVarTuple at")


def check(subject: Subject) -> Iterator[Finding]:
    found, live = signatures_of(subject), subject.live
    links = [] if found is None else functions_in(found)
    if found is None or live is None or not links or not links[0].wraps:
        return
    for annotation in found.annotations:
        elsewhere = annotation.elsewhere
        if elsewhere is None or any(words in elsewhere for words in _SAME):
            continue
        yield told(
            subject,
            found,
            CODE,
            f"the annotation {annotation.name}: {annotation.text} means two things",
            confidence="proved",
            evidence=[f"it was written in module {annotation.module}", annotation.elsewhere],
            why="what evaluates it in the wrapper's globals finds another object",
            instead="unwrap before you evaluate, or write the annotation without quotes",
        )
        return
