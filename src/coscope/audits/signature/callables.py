"""What the signature rules share: the callable that a name gives, and where its wrappers are."""

from __future__ import annotations

from dataclasses import replace
from types import FunctionType, MethodType
from typing import Any

from coscope.audits.subject.objects import Live
from coscope.audits.subject.subject import Subject, definition
from coscope.errors import CoscopeError
from coscope.facts.signatures.counterexamples import witnesses
from coscope.facts.signatures.links import Link
from coscope.facts.signatures.shapes import POSITIONAL, POSITIONAL_ONLY, Shape
from coscope.facts.signatures.signatures import Signatures, signature
from coscope.model import Finding
from coscope.readers.attributes import class_attribute, is_a, member, namespace_of

_DECLARED = "__signature__ of "


def signatures_of(subject: Subject) -> Signatures | None:
    """Reported and binding signature of what a name holds; None if it is not a Python callable.

    A static method is taken as its function, a class method bound to the class that holds it.
    """
    return subject.fact(_signatures)


def _signatures(subject: Subject) -> Signatures | None:
    live = subject.live
    if live is None or live.name is None or is_a(live.thing, property):
        return None
    try:
        found = signature(callable_of(live))
    except CoscopeError:
        return None
    return _as_method(found) if live.in_class and type(live.thing) is FunctionType else found


def _as_method(found: Signatures) -> Signatures:
    """With the witnesses of a method: nobody passes `self` by its name."""
    shape = found.reported
    if shape is None or not found.witnesses or not shape.parameters:
        return found
    first, *others = shape.parameters
    if first.kind not in (POSITIONAL, POSITIONAL_ONLY):
        return found
    bound = Shape((replace(first, kind=POSITIONAL_ONLY), *others))
    name = functions_in(found)[0].name if functions_in(found) else ""
    made = witnesses(found.object, name, bound, found.binding)
    return replace(found, witnesses=tuple(each for each in made if each.positional))


def class_signatures_of(subject: Subject) -> Signatures | None:
    """The signatures of the class whose constructor it is: `__init__`, or `__new__` without one."""
    live = subject.live
    if live is None or not live.in_class or not _makes_class(live):
        return None
    try:
        found = signature(live.owner)
    except CoscopeError:
        return None
    made = class_attribute(live.owner, "__new__")
    if type(made) is staticmethod and type(member(staticmethod, "__func__", made)) is FunctionType:
        # It may make an instance of another class, whose `__init__` then runs.
        own = tuple(each for each in found.witnesses if each.by and each.by.endswith(".__new__"))
        return replace(found, witnesses=own)
    return found


def _makes_class(live: Live) -> bool:
    """True for the method that decides how its class is called."""
    if live.name == "__new__":
        return "__init__" not in namespace_of(live.owner)
    return live.name == "__init__"


def callable_of(live: Live) -> Any:
    """What a caller gets: static and class methods as the class gives them."""
    if type(live.thing) is staticmethod:
        return member(staticmethod, "__func__", live.thing)
    if type(live.thing) is classmethod:
        function = member(classmethod, "__func__", live.thing)
        return MethodType(function, live.owner) if type(function) is FunctionType else function
    return live.thing


def is_private(live: Live) -> bool:
    """True for a name that is for its module alone: nobody outside asks for its signature."""
    parts = live.target.rpartition(":")[2].split(".")
    return any(part.startswith("_") and not part.endswith("__") for part in parts)


def declares(found: Signatures) -> bool:
    """True if what it reports comes from a `__signature__` that somebody has set."""
    return any(source.startswith(_DECLARED) for source in found.sources)


def functions_in(found: Signatures) -> list[Link]:
    """The links of the chain that are Python functions, outermost first."""
    return [link for link in found.chain if link.function is not None]


def told(subject: Subject, found: Signatures, code: str, message: str, **more: Any) -> Finding:
    """A finding at the definition that bears the name: that of the function which is wrapped.

    The wrapper itself is written in a decorator, on one line for all that it decorates.
    """
    finding = subject.finding(code, message, **more)
    name = None if subject.live is None else subject.live.name
    links = [link for link in reversed(functions_in(found)) if not _is_generated(link)]
    named = [link for link in links if link.name == name]
    for link in (*named, *links):
        if link.function is not None:
            span = definition(link.function.source, link.function.code)
            file = link.function.code.filename
            if link.name == name or finding.file is None or finding.file.startswith("<"):
                return replace(finding, file=file, span=span, code=link.qualname, offset=None)
    return finding


def _is_generated(link: Link) -> bool:
    """True for code that no file has."""
    return link.function is None or link.function.code.filename.startswith("<")


def told_of_wrapper(
    subject: Subject, found: Signatures, code: str, message: str, **more: Any
) -> Finding:
    """A finding at the wrapper, if it is of the package: that is where the fault is mended.

    Objects of one decorator then share one finding; a foreign decorator is reported at its use.
    """
    world, live = subject.unit.world, subject.live
    own = live is not None and live.function is not None and world is not None
    if own and live is not None and live.function is not None and world is not None:
        name = dict.get(live.function.__globals__, "__name__")
        own = type(name) is str and f"{name}.".startswith(f"{world.package}.")
    if own:
        return subject.finding(code, message, **more)
    return told(subject, found, code, message, **more)


def decorator_of(link: Link) -> str:
    """The function that made a wrapper, by its name."""
    own = link.qualname if link.function is None else link.function.code.qualname
    return own.rpartition(".<locals>")[0] or own


def chain_text(found: Signatures) -> list[str]:
    """The chain of wrappers as evidence, a line for each link."""
    return [
        f"{link.how or 'it is'} {link.qualname}{link.accepts.text if link.accepts else ''}"
        for link in found.chain[:6]
    ]
