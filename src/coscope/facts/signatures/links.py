"""One link of a chain of wrappers, and what it loses or changes compared with the next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from coscope.facts.calls.forwarding import Forward
from coscope.facts.calls.receivers import Callee
from coscope.facts.signatures.reported import name_of
from coscope.facts.signatures.shapes import Shape
from coscope.model import Code, Function, Value
from coscope.readers.attributes import MISSING

_COMPARED = (int, float, complex, str, bytes, bool)
_ADAPTERS = frozenset({"contextmanager", "asynccontextmanager"})  # the change is what they are for


@dataclass(frozen=True, slots=True)
class Link:
    """One callable of a chain of wrappers."""

    kind: str  # "function", "bound method", "functools.partial", "class", "builtin", ...
    name: str
    qualname: str
    module: str | None
    how: str  # how the link before leads here: "calls fn(*args, **kwargs)"; "" for the first
    accepts: Shape | None  # its own parameters; None: it has no code of its own
    flavour: str | None  # see `flavour_of`
    function: Function | None
    wraps: bool  # it has a `__wrapped__`, as functools.wraps sets it
    changes: tuple[str, ...] = ()  # what it loses or changes of the next link
    object: Any = field(default=None, compare=False, repr=False)

    def with_changes(self, changes: Sequence[str]) -> Link:
        """The link with what it changes."""
        return replace(self, changes=tuple(changes))


def flavour_of(code: Code) -> str:
    """What calling the code gives, from its flags.

    One of "function", "generator", "coroutine", "async generator", "generator-based coroutine".
    """
    if code.flags & 0x200:
        return "async generator"
    if code.flags & 0x80:
        return "coroutine"
    if code.flags & 0x100:
        return "generator-based coroutine"
    return "generator" if code.flags & 0x20 else "function"


def changes_of(
    link: Link,
    following: Link,
    forward: Forward | None,
    calls: Sequence[tuple[Forward, Callee | None]],
    wrapped: object,
) -> list[str]:
    """What a function that wraps another loses or changes, in words."""
    changes: list[str] = []
    if link.wraps or (forward is not None and is_closure_over(link, forward)):
        changes += _of_names(link, following)
        changes += _of_flavours(link, following)
        changes += _of_defaults(link, following)
    if forward is None:
        changes.append(
            "its code is not seen to call what __wrapped__ names"
            if not calls
            else f"what {calls[0][0].text} calls is known only when it runs"
        )
        return changes
    if wrapped is not MISSING and wrapped is not following.object:
        changes.append(f"__wrapped__ names {name_of(wrapped)}, but its code calls another callable")
    changes += _of_arguments(link, forward)
    return changes


def is_closure_over(link: Link, forward: Forward) -> bool:
    """True if a function calls what its closure holds, as a decorator's wrapper does."""
    root = forward.callee.partition(".")[0].partition("(")[0]
    return link.function is not None and root in set(link.function.code.freevars) - {"__class__"}


def _of_names(link: Link, following: Link) -> Iterator[str]:
    if not link.wraps:
        yield "functools.wraps is missing: name, documentation and signature are its own"
    if following.function is None:
        return
    if link.name != following.name:
        yield f"the name {following.name} becomes {link.name}"
    elif link.qualname != following.qualname:
        yield f"the qualified name {following.qualname} becomes {link.qualname}"


def _of_flavours(link: Link, following: Link) -> Iterator[str]:
    if following.flavour is None or link.flavour == following.flavour or link.function is None:
        return
    text = f"{_a(following.flavour)} becomes {_a(link.flavour or '')}"
    if link.function.code.qualname.partition(".")[0] in _ADAPTERS:
        text += ", which is what the decorator is for"
    elif following.flavour == "coroutine":
        text += ": inspect.iscoroutinefunction says no"
    yield text


def _a(flavour: str) -> str:
    words = flavour if flavour.endswith(("function", "coroutine")) else f"{flavour} function"
    words = f"{flavour} function" if flavour == "coroutine" else words
    return f"{'an' if words[0] in 'aeiou' else 'a'} {words}"


def _of_defaults(link: Link, following: Link) -> Iterator[str]:
    if link.accepts is None or following.accepts is None:
        return
    inner = {p.name: p.default for p in following.accepts.parameters}
    for parameter in link.accepts.parameters:
        here, there = parameter.default, inner.get(parameter.name)
        if here is not None and there is not None and not same(here, there):
            yield f"the default of {parameter.name} is {here.text}, inside {there.text}"


def same(left: Value, right: Value) -> bool:
    """True if two values are one object, or equal plain constants."""
    if left.object is right.object:
        return True
    kind = type(left.object)
    return (
        kind is type(right.object) and kind in _COMPARED and repr(left.object) == repr(right.object)
    )


def _kept_stars(accepts: Shape, forward: Forward) -> Iterator[str]:
    for kind, stars in (("*args", "*"), ("**kwargs", "**")):
        for parameter in accepts.of_kind(kind):
            if stars not in forward.stars:
                yield f"it does not pass {stars}{parameter.name} on"


def _of_arguments(link: Link, forward: Forward) -> Iterator[str]:
    added = [
        each.text for each in forward.passed if each.parameter is None and not _star(each.kind)
    ]
    if added:
        yield f"it adds {', '.join(added)} to the call"
    if link.accepts is not None:
        yield from _kept_stars(link.accepts, forward)
    if not forward.exact:
        yield "it changes the arguments before it passes them on"
    if not forward.always:
        yield "some paths through its code return without the call"


def _star(kind: str) -> bool:
    return kind in ("*", "**")
