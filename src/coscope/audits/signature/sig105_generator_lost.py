"""A wrapper hides that it gives a generator.

The function inside yields, the wrapper around it is a plain function that returns the generator.
Iterating works; but `inspect.isgeneratorfunction` says no, and whatever asks it (pytest for
fixtures, `contextlib.contextmanager` users, frameworks that stream) treats it as a plain function.
And code of the wrapper before and after the call runs when the generator is made, not when it is
iterated: a timer or a lock around it covers nothing.

    def timed(fn):
        @functools.wraps(fn)
        def wrapper(*args, **kwargs):
            with timer():
                return fn(*args, **kwargs)        the timer stops before the first item
        return wrapper

What `contextmanager` does is its purpose, and is not reported; nor is a wrapper without
`functools.wraps`, which SIG103 reports.

Make the wrapper a generator: `yield from fn(*args, **kwargs)`.
"""

from __future__ import annotations

from collections.abc import Iterator

from coscope.audits.signature.callables import functions_in, signatures_of
from coscope.audits.signature.sig104_coroutine_lost import lost
from coscope.audits.subject.subject import Subject
from coscope.model import Finding

CODE = "SIG105"
SEVERITY = "info"
LIVE = True


def check(subject: Subject) -> Iterator[Finding]:
    found = signatures_of(subject)
    links = [] if found is None else functions_in(found)
    if not links or not links[0].wraps:
        return
    yield from lost(subject, CODE, "generator", "isgeneratorfunction")
    yield from lost(subject, CODE, "async generator", "isasyncgenfunction")
