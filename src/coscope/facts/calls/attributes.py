"""What `owner.name` gives, by CPython's own descriptors; others are left for the call to ask."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from types import (
    BuiltinFunctionType,
    FunctionType,
    MethodDescriptorType,
    MethodType,
    ModuleType,
    WrapperDescriptorType,
)

from coscope.facts.calls.results import results_of
from coscope.facts.fingerprints.provenance import origin_of_class
from coscope.readers.attributes import MISSING, class_attribute, is_a, member, mro_of, namespace_of
from coscope.readers.from_function import from_code_object

LRU_WRAPPER = type(functools.lru_cache(len))
_PARTIALS_BIND = hasattr(functools, "Placeholder")  # 3.14: a partial in a class gets self


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Accessed:
    """An attribute whose descriptor was not asked: calling this asks it, and calls the answer."""

    descriptor: object  # as the class holds it
    instance: object  # None: it was reached through the class
    owner: type

    def __call__(self, /, *args: object, **kwargs: object) -> object:
        got = type(self.descriptor).__get__(self.descriptor, self.instance, self.owner)  # type: ignore[attr-defined]
        return got(*args, **kwargs)


def attribute(thing: object, owner: object) -> object:
    """What `owner.name` gives for an object that the owner's dictionary, or its class's, holds.

    Methods are bound as CPython's own descriptors do. What a `partialmethod`, a
    `singledispatchmethod`, a property of an instance or a user's descriptor gives is known only
    to its `__get__`, and so an `Accessed`.
    """
    if is_a(owner, ModuleType):
        return thing
    cls: type = owner if is_a(owner, type) else type(owner)  # type: ignore[assignment]
    if not any(value is thing for base in mro_of(cls) for value in namespace_of(base).values()):
        return _of_metaclass(thing, owner, cls)
    instance = None if is_a(owner, type) else owner
    return _bound(thing, instance, cls)


def _of_metaclass(thing: object, owner: object, cls: type) -> object:
    """A method of the metaclass, asked of the class; else the instance's own object."""
    if not is_a(owner, type):
        return thing
    held = (value for base in mro_of(type(owner)) for value in namespace_of(base).values())
    if any(value is thing for value in held):
        return _bound(thing, owner, type(owner))
    return thing


def _bound(thing: object, instance: object, cls: type) -> object:
    if type(thing) is staticmethod:
        return member(staticmethod, "__func__", thing)
    if type(thing) is classmethod:
        return MethodType(member(classmethod, "__func__", thing), cls)
    if binds_self(thing):
        return thing if instance is None else MethodType(thing, instance)  # type: ignore[arg-type]
    if type(thing) is property and instance is None:
        return thing
    if class_attribute(type(thing), "__get__") is MISSING or _is_c(thing, instance):
        return thing
    if is_a(thing, type) or is_a(thing, MethodType) or is_a(thing, functools.partial):
        return thing
    return Accessed(thing, instance, cls)


def binds_self(thing: object) -> bool:
    """True for what CPython makes a bound method of, as of a function."""
    if type(thing) is FunctionType or type(thing) is LRU_WRAPPER:
        return True
    return _PARTIALS_BIND and is_a(thing, functools.partial)


def _is_c(thing: object, instance: object) -> bool:
    """True for C functions that are the same object when they are reached through a class."""
    if type(thing) is BuiltinFunctionType:
        return True
    in_class = type(thing) in (WrapperDescriptorType, MethodDescriptorType)
    return in_class and instance is None


def static_exit(manager: object) -> bool:
    """True if leaving a context manager by an exception does not end the exception.

    Locks and files of the standard library's C code do not; of a user's `__exit__` the returned
    constants say it.
    """
    cls = type(manager)
    leave = class_attribute(cls, "__exit__")
    if leave is MISSING:
        leave = class_attribute(cls, "__aexit__")
    if type(leave) is FunctionType:
        results = results_of(from_code_object(leave.__code__))
        return bool(results) and set(results) <= {"None", "False"}
    if type(leave) is MethodDescriptorType or type(leave) is WrapperDescriptorType:
        return origin_of_class(cls).kind == "python"
    return False
