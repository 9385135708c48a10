"""What `owner.name` gives, without running a user's code: methods bound as CPython binds them.

`getattr` may call a property, a descriptor, `__getattr__` or `__getattribute__`. Here the
dictionaries are read, and of all descriptors only those run that are CPython's own: functions,
`staticmethod`, `classmethod`, `functools.partial`, `lru_cache`, methods written in C,
`functools.partialmethod` and `functools.singledispatchmethod`. Any other one is given as it is.
"""

from __future__ import annotations

import functools
import warnings
from types import (
    BuiltinFunctionType,
    ClassMethodDescriptorType,
    FunctionType,
    MethodDescriptorType,
    MethodType,
    ModuleType,
    WrapperDescriptorType,
)
from typing import Any, NamedTuple

from coscope.readers.attributes import (
    MISSING,
    class_attribute,
    instance_attribute,
    is_a,
    member,
    namespace_of,
)
from coscope.readers.values import type_name_of


class Attribute(NamedTuple):
    """What an owner gives under a name."""

    value: object  # MISSING: it has none
    unbound: str | None = None  # type of the user's descriptor whose `__get__` was not run


_LRU_WRAPPER = type(functools.lru_cache(len))

# Classes whose `__get__` is C code that runs nothing else.
_BINDING = (
    FunctionType,
    MethodType,
    staticmethod,
    functools.partial,
    _LRU_WRAPPER,
    MethodDescriptorType,
    WrapperDescriptorType,
    ClassMethodDescriptorType,
)
_GETS = [get for cls in _BINDING if (get := class_attribute(cls, "__get__")) is not MISSING]

# What `functools.partialmethod.__get__` binds without asking a user's class.
_PLAIN = (FunctionType, staticmethod, classmethod, functools.partial, _LRU_WRAPPER)

# Getters of `type` that go before the class's own dictionary, and run nothing of the user's.
_OF_TYPE = ("__class__", "__base__", "__bases__", "__mro__", "__name__", "__qualname__")


def attribute_of(owner: Any, name: str) -> Attribute:
    """What a class or an instance gives under a name; not for modules.

    The value is what `getattr` would return wherever that runs no user's code; a property is
    given itself, and what an instance's own `__getattr__` would answer is missing.
    """
    if owner is None:  # `__get__(None, ...)` means that the class is asked
        return Attribute(getattr(None, name, MISSING))
    if is_a(owner, type):
        if name in _OF_TYPE:
            return Attribute(instance_attribute(owner, name))
        held = class_attribute(owner, name)
        if held is not MISSING:
            return _bound(held, None, owner)
        held = class_attribute(type(owner), name)
        return Attribute(MISSING) if held is MISSING else _bound(held, owner, type(owner))
    held = class_attribute(type(owner), name)
    if not _is_data(held):
        own = instance_attribute(owner, name)
        if own is not MISSING:
            return Attribute(own)
    return Attribute(MISSING) if held is MISSING else _bound(held, owner, type(owner))


def _is_data(held: object) -> bool:
    """True for a user's data descriptor, which goes before the instance's own dictionary.

    Slots and getters that C code defines are read by `instance_attribute`.
    """
    setter = class_attribute(type(held), "__set__")
    return is_a(held, property) or type(setter) is FunctionType


def _bound(held: Any, instance: object, cls: type) -> Attribute:
    """What a class's dictionary holds, as its descriptor gives it.

    Args:
        held: The value in the dictionary.
        instance: None if the attribute is asked of the class.
        cls: The class.
    """
    get = class_attribute(type(held), "__get__")
    if get is MISSING:
        return Attribute(held)
    if any(get is own for own in _GETS):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # 3.13: a partial in a class body will bind
            return Attribute(get(held, instance, cls))
    if get is namespace_of(classmethod)["__get__"]:
        return _bound_to_class(held, cls)
    if type(held) is functools.partialmethod and _is_plain(instance_attribute(held, "func")):
        return Attribute(held.__get__(instance, cls))
    if type(held) is functools.singledispatchmethod:
        return Attribute(_dispatcher(held, instance).__get__(instance, cls))
    if is_a(held, property) or is_a(held, functools.cached_property):
        return Attribute(held)
    if type(get) is WrapperDescriptorType and instance is None:
        return Attribute(held)  # C code: what it gives a class is as a rule itself
    return Attribute(held, type_name_of(held))


def _bound_to_class(held: object, cls: type) -> Attribute:
    function = member(classmethod, "__func__", held)
    if _is_plain(function) or class_attribute(type(function), "__get__") is MISSING:
        return Attribute(MethodType(function, cls))
    return Attribute(held, type_name_of(function))  # to 3.12 its own `__get__` runs


def _is_plain(function: object) -> bool:
    return any(type(function) is plain for plain in (*_PLAIN, BuiltinFunctionType))


def _dispatcher(method: object, instance: object) -> Any:
    """The method itself; or a copy without a cache, where that would hash the instance (3.13.0)."""
    hashing = class_attribute(type(instance), "__hash__")
    if instance is None or type(hashing) is WrapperDescriptorType:
        return method
    copy = object.__new__(functools.singledispatchmethod)
    copy.__dict__.update(instance_attribute(method, "__dict__"))
    copy.__dict__["_method_cache"] = None
    return copy


def names_in(owner: object) -> list[str]:
    """Names of the attributes that an object's own dictionary and its classes hold."""
    if is_a(owner, ModuleType):
        return [name for name in dict.keys(member(ModuleType, "__dict__", owner)) if _text(name)]
    names: list[Any] = []
    own = instance_attribute(owner, "__dict__")
    if is_a(own, dict) and not is_a(owner, type):
        names += dict.keys(own)
    for base in type.__dict__["__mro__"].__get__(owner if is_a(owner, type) else type(owner)):
        names += namespace_of(base)
    return list(dict.fromkeys(filter(_text, names)))


def _text(name: object) -> bool:
    return type(name) is str
