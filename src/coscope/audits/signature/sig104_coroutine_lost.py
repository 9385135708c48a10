"""A wrapper hides that it gives a coroutine.

The function inside is `async def`, the wrapper around it a plain function that returns what the
call gave. Awaiting the result works; but `inspect.iscoroutinefunction` says no, and whatever asks
it (web frameworks, pytest plugins, task queues, `functools` tools) runs the wrapper as synchronous
code: in a thread pool, or without ever awaiting the coroutine.

    def logged(fn):
        @functools.wraps(fn)
        def wrapper(*args, **kwargs):
            return fn(*args, **kwargs)
        return wrapper

    @logged
    async def fetch(url): ...             inspect.iscoroutinefunction(fetch) is False

A wrapper that runs the coroutine itself, as an adapter from asynchronous to synchronous does, is
not reported, nor one that was marked.

Proved: the wrapper's code is a plain function, the one inside a coroutine function, and each path
returns what the call gives. Assumed: somebody asks `iscoroutinefunction`.

Make the wrapper `async def` and `return await fn(...)`; or mark it by
`inspect.markcoroutinefunction` (3.12).
"""

from __future__ import annotations

from collections.abc import Iterator
from types import FunctionType

from coscope.audits.signature.callables import (
    chain_text,
    decorator_of,
    functions_in,
    signatures_of,
    told_of_wrapper,
)
from coscope.audits.subject.subject import Subject
from coscope.facts.signatures.links import Link
from coscope.model import Finding

CODE = "SIG104"
SEVERITY = "warning"
LIVE = True

_MARKS = ("_is_coroutine_mark", "_is_coroutine_marker", "_is_coroutine")


def check(subject: Subject) -> Iterator[Finding]:
    yield from lost(subject, CODE, "coroutine", "iscoroutinefunction")


def lost(subject: Subject, code: str, flavour: str, question: str) -> Iterator[Finding]:
    """A finding if a plain wrapper returns what a function of the flavour gives.

    Args:
        subject: The live object.
        code: Of the rule.
        flavour: As `facts.links.flavour_of` has it.
        question: The function of `inspect` that says no.
    """
    live, found = subject.live, signatures_of(subject)
    if live is None or found is None or live.function is None:
        return
    links = functions_in(found)
    if len(links) < 2 or links[0].object is not live.function:
        return
    inner = _hidden(links, flavour, live.name)
    if inner is None or _is_marked(live.function) or not _returns_the_call(subject):
        return
    decorator = decorator_of(links[0])
    yield told_of_wrapper(
        subject,
        found,
        code,
        f"the decorator {decorator} hides a {flavour}: inspect.{question} says no",
        confidence="proved",
        evidence=[f"{inner.qualname} is a {flavour} function", *chain_text(found)],
        why=f"what asks inspect.{question} takes it for a plain function",
        instead="make the wrapper async def, and return await"
        if flavour == "coroutine"
        else "make the wrapper a generator: yield from",
    )


def _hidden(links: list[Link], flavour: str, name: str | None) -> Link | None:
    """The function of the flavour that a plain function decorates; None if there is none."""
    if links[0].flavour != "function":
        return None
    inner = next((link for link in links[1:] if link.flavour != "function"), None)
    if inner is None or inner.flavour != flavour or not _decorates(links, inner, name):
        return None
    return inner


def _decorates(links: list[Link], inner: Link, name: str | None) -> bool:
    """True if the chain is one of decorators: it says what it wraps, or its name is the inner's."""
    before = links[: links.index(inner)]
    return all(link.wraps for link in before) or inner.name == name


def _is_marked(function: FunctionType) -> bool:
    return any(mark in function.__dict__ for mark in _MARKS)


def _returns_the_call(subject: Subject) -> bool:
    """True if a return gives what a call with the wrapper's own arguments has given."""
    calls = {call.index for call in subject.calls if call.starred}
    for index in subject.where("RETURN_VALUE"):
        taken = subject.takers.get(index)
        if taken is not None and any(made & calls for made in taken[1]):
            return True
    return False
