"""A wrapper's default differs from the one that it reports.

`inspect.signature` follows `__wrapped__` and shows the defaults of the function inside. Where the
wrapper has a parameter of the same name with another default, and hands it on, a call without that
argument runs with the wrapper's value, not with the one that is documented.

    def patient(fn):
        @functools.wraps(fn)
        def wrapper(url, timeout=60):
            return fn(url, timeout=timeout)
        return wrapper

    @patient
    def fetch(url, timeout=5): ...        says timeout=5, and waits 60

Not reported are a wrapper that changes arguments, computes the value that it hands on or does not
always make the call, and a default that means "not given".

Proved: the wrapper hands its own parameter on as it is, on every path, to the parameter of that
name, and the two defaults are different constants or objects. Assumed: what `__defaults__` and the
closure hold now stays so, and two defaults that are different objects mean different things.

Take the default from the function inside, or let the wrapper take `**kwargs`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from coscope.audits.signature.callables import chain_text, functions_in, signatures_of, told
from coscope.audits.subject.subject import Subject
from coscope.facts.calls.forwarding import Forward, forwards
from coscope.facts.signatures.links import Link, same
from coscope.facts.signatures.shapes import Shape
from coscope.model import Finding, Value

CODE = "SIG106"
SEVERITY = "warning"
LIVE = True

# What the wrapper's code does that may make up for its default.
_OTHERWISE = (
    *("changes the arguments", "return without the call", "known only when it runs"),
    "not seen to call",
)


def check(subject: Subject) -> Iterator[Finding]:
    live, found = subject.live, signatures_of(subject)
    if live is None or found is None or found.reported is None:
        return
    links = functions_in(found)
    if len(links) < 2 or not links[0].wraps or links[0].accepts is None:
        return
    if _makes_up(links[0]):
        return
    for name, here, said in _drifted(links[0].accepts, found.reported):
        if not all(_hands_on(*each, name) for each in pairwise(links)):
            continue
        yield told(
            subject,
            found,
            CODE,
            f"{live.name} reports {name}={said.text}, and uses {here.text}",
            confidence="proved",
            evidence=chain_text(found),
            why="a call without the argument does other than its signature says",
            instead="take the default from the function inside",
        )


def _makes_up(wrapper: Link) -> bool:
    """True if what the wrapper's code does may make up for its default."""
    return any(words in change for change in wrapper.changes for words in _OTHERWISE)


def _hands_on(link: Link, following: Link, name: str) -> bool:
    """True if each call of a wrapper passes its parameter on to the one of the same name."""
    if link.function is None or link.accepts is None or following.accepts is None:
        return False
    code = link.function.code
    if name in code.cellvars:  # nested code may assign it
        return False
    calls = forwards(code)
    if name not in (each.name for each in link.accepts.parameters):
        return bool(calls) and all(each.exact and each.stars for each in calls)
    names = [each.name for each in following.accepts.parameters]
    return bool(calls) and all(_gives(each, names, name) for each in calls)


def _gives(call: Forward, names: Sequence[str], name: str) -> bool:
    """True if an argument of the call is the wrapper's own parameter, for the one of its name.

    Args:
        call: The call.
        names: The parameters of what is called, in order.
        name: Of the parameter.
    """
    for at, each in enumerate(call.passed):
        if each.kind == "*":
            return False  # how many come before what follows is not known
        if each.parameter == name:
            return each.name == name if each.kind == "keyword" else names[at : at + 1] == [name]
        if each.kind == "keyword" and each.name == name:
            return False
    return False


def _drifted(own: Shape, reported: Shape) -> Iterator[tuple[str, Value, Value]]:
    """The parameters with two defaults: the name, the wrapper's default, the reported one.

    A plain `object()` is left out: it says "not given".
    """
    by_name = {parameter.name: parameter.default for parameter in reported.parameters}
    for parameter in own.parameters:
        here, said = parameter.default, by_name.get(parameter.name)
        if here is None or said is None or here.type_name == "object":
            continue
        if not same(here, said):
            yield parameter.name, here, said
