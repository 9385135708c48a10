"""A decorator's wrapper does not say what it wraps.

Without `functools.wraps` the decorated function has the wrapper's name, documentation and
signature `(*args, **kwargs)`. Frameworks that read signatures take `args` and `kwargs` for
parameters (FastAPI makes query parameters of them), pickle does not find it, and tracebacks name
the wrapper. The rule finds it where the name in the module is that of the function inside, which
is what a decorator leaves behind, so that factories are silent.

    def retry(fn):
        def wrapper(*args, **kwargs):
            return fn(*args, **kwargs)
        return wrapper

    @retry
    def fetch(url, timeout=1): ...        fetch.__name__ is "wrapper"

Proved: the live wrapper has neither `__wrapped__` nor the name of the function that its closure
holds.

Put `@functools.wraps(fn)` on the wrapper.
"""

from __future__ import annotations

from collections.abc import Iterator

from coscope.audits.signature.callables import (
    chain_text,
    decorator_of,
    functions_in,
    signatures_of,
    told_of_wrapper,
)
from coscope.audits.subject.subject import Subject
from coscope.facts.signatures.links import Link
from coscope.facts.signatures.shapes import KEYWORDS, REST
from coscope.model import Finding

CODE = "SIG103"
SEVERITY = "warning"
LIVE = True


def check(subject: Subject) -> Iterator[Finding]:
    live, found = subject.live, signatures_of(subject)
    if live is None or found is None or live.function is None:
        return
    links = functions_in(found)
    if len(links) < 2 or links[0].object is not live.function:
        return
    outer, inner = links[0], links[1]
    if outer.wraps or not _is_of_decorator(outer) or not _takes_all(outer):
        return
    if outer.name == live.name or inner.name != live.name:
        return
    decorator = decorator_of(outer)
    yield told_of_wrapper(
        subject,
        found,
        CODE,
        f"the decorator {decorator} leaves {outer.name} in the place of what it decorates",
        confidence="proved",
        evidence=[
            f"{live.name} is called {outer.name} and reports {_shape(outer)}, not {_shape(inner)}",
            *chain_text(found),
        ],
        why="name, documentation and signature of what it decorates are lost",
        instead="put @functools.wraps on the wrapper",
    )


def _is_of_decorator(link: Link) -> bool:
    """True for a function that was made inside another one, and captures something of it."""
    function = link.function
    return function is not None and "<locals>" in link.qualname and bool(function.code.freevars)


def _takes_all(link: Link) -> bool:
    return link.accepts is not None and bool(
        link.accepts.of_kind(REST) and link.accepts.of_kind(KEYWORDS)
    )


def _shape(link: Link) -> str:
    return link.accepts.text if link.accepts is not None else "?"
