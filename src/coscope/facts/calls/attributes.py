"""Attributes that a descriptor computes; what binds as functions do; exits that let errors out."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from types import (
    FunctionType,
    MethodDescriptorType,
    ModuleType,
    WrapperDescriptorType,
)

from coscope.facts.calls.results import results_of
from coscope.facts.fingerprints.provenance import origin_of_class
from coscope.readers import locate
from coscope.readers.attributes import MISSING, class_attribute, is_a
from coscope.readers.from_function import from_code_object
from coscope.readers.targets import Target

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


def _owner_of(text: str) -> object:
    """What the text before the last dot names; MISSING if that is a module."""
    if "." not in text.partition(":")[2]:
        return MISSING
    owner = locate(text.rpartition(".")[0]).thing
    return MISSING if is_a(owner, ModuleType) else owner


def accessed(meant: Target) -> object:
    """The object that a target names; an `Accessed` where only a descriptor knows it.

    That is a user's descriptor, whose code `locate` does not run, and a property of an instance.
    """
    thing, text = meant.thing, meant.text
    get = class_attribute(type(thing), "__get__")
    if text is None or get is MISSING:
        return thing
    computed = is_a(thing, property) or is_a(thing, functools.cached_property)
    if not computed and not (type(get) is FunctionType and meant.warnings):
        return thing
    owner = _owner_of(text)
    if owner is MISSING:
        return thing
    if is_a(owner, type):
        return thing if computed else Accessed(thing, None, owner)  # type: ignore[arg-type]
    return Accessed(thing, owner, type(owner))


def binds_self(thing: object) -> bool:
    """True for objects that CPython binds as it binds functions."""
    if type(thing) is FunctionType or type(thing) is LRU_WRAPPER:
        return True
    return _PARTIALS_BIND and is_a(thing, functools.partial)


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
