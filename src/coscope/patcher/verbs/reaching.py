"""From whatever is to be patched to the function inside, and back to an object of the same kind."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from types import FunctionType, MethodType
from typing import Any

from coscope.errors import PatchError, hidden_for
from coscope.model import Code, Function
from coscope.readers import read
from coscope.readers.attributes import (
    MISSING,
    class_attribute,
    instance_attribute,
    is_a,
    member,
)
from coscope.readers.from_function import from_code_object
from coscope.readers.values import type_name_of

__tracebackhide__ = hidden_for

_LRU_WRAPPER = type(functools.lru_cache(len))


@dataclass(frozen=True, slots=True)
class Reached:
    """A function, and how it was reached."""

    thing: object  # what was given
    function: FunctionType
    code: Code
    via: tuple[str, ...]  # "bound method.__func__"
    notes: tuple[str, ...]  # what the reader should know about these steps

    def wrapped(self, new: FunctionType) -> object:
        """The new function in wrappers like those round the old one, where they can be made."""
        return _rewrapped(self.thing, self.function, new)


def reach(target: object, *, unwrap: bool = False) -> Reached:
    """Find the function that a patch of this object is about.

    Args:
        target: A function, a method, or what wraps one; "module:name"; what `coscope.read` gave.
        unwrap: Follow `__wrapped__` of decorated functions.

    Raises:
        PatchError: There is code, but no function round it: a file, a generator, a frame.
        NoCodeObject: It is written in C, or a class without a constructor in Python.
        TargetError: It cannot be read.
    """
    if type(target) is FunctionType and not unwrap:
        return Reached(target, target, from_code_object(target.__code__), (), ())
    found = target if isinstance(target, Function) else read(target, unwrap=unwrap)
    function = found.object
    if type(function) is not FunctionType:
        raise PatchError(
            f"{found.qualname} is code without a function: nothing can be called instead of it",
            expected="a function, a method, or what wraps one",
            found=found.via[-1] if found.via else f"{found.origin} {found.code.kind}",
            hint="Patch the function that runs it, or a file: coscope patch FILE -o out.pyc.",
        )
    # A name or a snapshot is given in place of the function itself.
    thing = function if isinstance(target, str | Function) else target
    return Reached(thing, function, found.code, found.via, tuple(_notes(found)))


def _notes(found: Function) -> list[str]:
    notes = list(found.warnings)
    if found.via:
        notes.append(f"the function was reached through {', '.join(found.via)}")
    if any(step.startswith("property.") for step in found.via):
        notes.append("of a property one function is patched; the others stay")
    return notes


def alone(thing: object, function: FunctionType) -> list[str]:
    """A note on an object round the function that cannot be made again round a new one."""
    if type(thing) is FunctionType or type(thing) in _MAKERS or _is_called(thing, function):
        return []
    what = "class" if is_a(thing, type) else type_name_of(thing)
    return [f"a {what} is not made anew: the copy comes as a function alone"]


def _is_called(thing: object, function: FunctionType) -> bool:
    """True for an instance whose class makes it callable by this function."""
    return class_attribute(type(thing), "__call__") is function


def _rewrapped(thing: object, old: FunctionType, new: FunctionType) -> Any:
    """`new` in the wrappers of `thing`; alone where a wrapper cannot be made again."""
    if thing is old:
        return new
    if _is_called(thing, old):
        return MethodType(new, thing)
    make = _MAKERS.get(type(thing))
    return new if make is None else make(thing, old, new)


def _method(thing: Any, old: FunctionType, new: FunctionType) -> object:
    return MethodType(_rewrapped(thing.__func__, old, new), thing.__self__)


def _descriptor(thing: Any, old: FunctionType, new: FunctionType) -> object:
    return type(thing)(_rewrapped(member(type(thing), "__func__", thing), old, new))


def _property(thing: object, old: FunctionType, new: FunctionType) -> object:
    functions = (_accessor(getattr(thing, name), old, new) for name in ("fget", "fset", "fdel"))
    fget, fset, fdel = functions
    return property(fget, fset, fdel, thing.__doc__)


def _accessor(function: object, old: FunctionType, new: FunctionType) -> Any:
    return new if function is old else function


def _partial(thing: Any, old: FunctionType, new: FunctionType) -> object:
    made = functools.partial(_rewrapped(thing.func, old, new), *thing.args, **thing.keywords)
    vars(made).update(vars(thing))
    return made


def _cached_property(thing: Any, old: FunctionType, new: FunctionType) -> Any:
    made: functools.cached_property[object] = functools.cached_property(
        _rewrapped(thing.func, old, new)
    )
    if thing.attrname is not None:
        made.__set_name__(object, thing.attrname)
    return made


def _partial_method(thing: Any, old: FunctionType, new: FunctionType) -> object:
    return functools.partialmethod(_rewrapped(thing.func, old, new), *thing.args, **thing.keywords)


def _cached(thing: object, old: FunctionType, new: FunctionType) -> object:
    """The same cache, empty."""
    inside = instance_attribute(thing, "__wrapped__")
    told = instance_attribute(thing, "cache_parameters")
    if inside is MISSING or type(told) is not FunctionType:
        return new
    return functools.lru_cache(**told())(_rewrapped(inside, old, new))


_MAKERS: dict[type, Callable[[object, FunctionType, FunctionType], object]] = {
    MethodType: _method,
    staticmethod: _descriptor,
    classmethod: _descriptor,
    property: _property,
    functools.partial: _partial,
    functools.partialmethod: _partial_method,
    functools.cached_property: _cached_property,
    _LRU_WRAPPER: _cached,
}
