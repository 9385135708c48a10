"""One live object as rules look at it: where it was found, and what is known of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from types import FunctionType
from typing import Any

from coscope.errors import CoscopeError
from coscope.facts.dependencies.following import held_by
from coscope.facts.signatures.signatures import Signatures, signature
from coscope.model import Function
from coscope.readers.attributes import is_a
from coscope.readers.from_function import from_function

_DEEPEST = 8  # wrappers around a function


@dataclass(frozen=True)
class Live:
    """One live object that a name of a module or class holds, or a function without such a name."""

    thing: Any = field(compare=False, repr=False)  # as its owner's dictionary holds it
    function: FunctionType | None = field(compare=False, repr=False)
    """The function that it is or wraps: of a partial, property, staticmethod or decorated function
    the innermost that its members lead to."""
    owner: Any = field(default=None, compare=False, repr=False)  # module or class; None: no name
    name: str | None = None  # under which the owner holds it
    target: str = ""  # "package.module:Class.name", or the qualified name of a nameless function
    direct: bool = True  # the owner's module is the one in which the function was defined

    @property
    def in_class(self) -> bool:
        """True if a class holds it."""
        return self.owner is not None and is_a(self.owner, type)

    @cached_property
    def signatures(self) -> Signatures | None:
        """What it reports and what its code accepts; None if it is not known."""
        try:
            return signature(self.thing)
        except CoscopeError:
            return None

    @cached_property
    def read(self) -> Function | None:
        """The function as the readers give it."""
        return None if self.function is None else from_function(self.function)


def innermost(thing: object) -> FunctionType | None:
    """The function that an object is, or that its own members lead to; None if there is none."""
    for _ in range(_DEEPEST):
        if type(thing) is FunctionType:
            return thing
        following = (
            next((part for step, part in held_by(thing) if step in _STEPS), None)
            if not is_a(thing, type)
            else None
        )
        if following is None:
            return None
        thing = following
    return None


_STEPS = ("__func__", "partial.func", "__wrapped__", "func", "fget")
