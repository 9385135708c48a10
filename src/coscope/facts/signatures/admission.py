"""Whether a call gets through a chain of wrappers, decided from their code. Nothing is called."""

from __future__ import annotations

from dataclasses import dataclass
from types import FunctionType

from coscope.errors import InputError
from coscope.facts.calls.construction import is_abstract
from coscope.facts.calls.forwarding import Forward, forwards
from coscope.facts.calls.onward import follow
from coscope.facts.calls.parameters import Arguments
from coscope.facts.calls.receivers import Callee, Receiver, resolve
from coscope.model import Code
from coscope.readers.attributes import MISSING, is_a


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a call gets through."""

    error: str | None  # the message of the TypeError; None: nothing refuses it
    by: str | None  # qualified name of what refuses it
    certain: bool  # every call on the way was followed, and happens always
    when: str = "called"  # "called", "awaited" or "iterated": when the error comes


def judge(thing: object, arguments: Arguments, receiver: Receiver | None = None) -> Verdict:
    """Decide a call, through every wrapper whose code passes it on.

    Args:
        thing: Any callable.
        arguments: Of the call.
        receiver: What `self` is, if `thing` is a method that was found by `super()`.
    """
    try:
        reached = follow(thing, arguments, receiver)
    except InputError:
        return Verdict(None, None, False)
    if reached.error is not None and not reached.stages and is_an_abstract_class(thing):
        return Verdict(None, None, False)  # no call binds, whatever its arguments
    if reached.error is not None:
        return Verdict(reached.error, reached.by, True, reached.when)
    return Verdict(None, None, not reached.conditions and not reached.loose)


def is_an_abstract_class(thing: object) -> bool:
    """True for a class that `object.__new__` does not instantiate."""
    return is_a(thing, type) and is_abstract(thing)  # type: ignore[arg-type]


def followed_calls(
    function: FunctionType, code: Code, receiver: Receiver | None
) -> list[tuple[Forward, Callee | None]]:
    """The calls that pass on `*args` or `**kwargs`, or call what `__wrapped__` names."""
    wrapped = dict.get(function.__dict__, "__wrapped__", MISSING)
    found = []
    for forward in forwards(code):
        callee = resolve(forward.callee, function, receiver)
        if forward.stars or (callee is not None and callee.thing is wrapped):
            found.append((forward, callee))
    return found
