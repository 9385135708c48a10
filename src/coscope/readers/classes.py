"""A live class -> the Python functions that it defines itself, each with the name that finds it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from coscope.model import Function
from coscope.readers.attributes import MISSING, is_a, member, namespace_of
from coscope.readers.from_object import from_object, leads_to_python
from coscope.readers.values import exact_text

_ACCESSORS = ("fget", "fset", "fdel")

_qualname_of = type.__dict__["__qualname__"].__get__


class Method(NamedTuple):
    """One Python function that a class defines."""

    name: str  # behind the class: "total", "total.fset" (of a property), "Inner.run"
    function: Function


def methods_of(cls: type) -> Iterator[Method]:
    """Functions of a class's own dictionary and of the classes in it, in the order of definition.

    Wrappers are followed as `from_object` follows them. What a class inherits is left out.
    """
    yield from _methods(cls, "", {id(cls)})


def _methods(cls: type, before: str, seen: set[int]) -> Iterator[Method]:
    for name, value in list(namespace_of(cls).items()):
        if type(name) is not str or id(value) in seen:
            continue
        if is_a(value, type):
            if exact_text(_qualname_of(value)) == f"{exact_text(_qualname_of(cls))}.{name}":
                seen.add(id(value))
                yield from _methods(value, f"{before}{name}.", seen)
        elif is_a(value, property):
            yield from _accessors(value, before + name)
        elif leads_to_python(value):
            yield Method(before + name, from_object(value))


def _accessors(thing: property, name: str) -> Iterator[Method]:
    """The functions of a property; the first one has the property's own name."""
    found = [
        (each, function)
        for each in _ACCESSORS
        if (function := member(property, each, thing)) is not MISSING and leads_to_python(function)
    ]
    for at, (each, function) in enumerate(found):
        read = from_object(thing) if at == 0 else from_object(function)
        yield Method(name if at == 0 else f"{name}.{each}", read)


def target_of(cls: type, name: str = "") -> str | None:
    """What to write for something in a class: "shop:Order.total"; None if no name leads there."""
    module = namespace_of(cls).get("__module__")
    qualname = exact_text(_qualname_of(cls))
    if type(module) is not str or "<locals>" in qualname:
        return None
    return f"{module}:{qualname}.{name}" if name else f"{module}:{qualname}"
