"""Look at attributes of any live object without running its code.

`getattr` may call a property, a descriptor, `__getattr__` or `__getattribute__`, and `isinstance`
believes `__class__`. These functions read the dictionaries and the C-level members behind them.
"""

from __future__ import annotations

from types import GetSetDescriptorType, MappingProxyType, MemberDescriptorType
from typing import Any

_mro_of = type.__dict__["__mro__"].__get__
_namespace_of = type.__dict__["__dict__"].__get__

MISSING: Any = object()


def is_a(thing: object, cls: type) -> bool:
    """True if the object's real type is `cls` or below it; `__class__` is not believed."""
    return issubclass(type(thing), cls)


def mro_of(cls: type) -> tuple[type, ...]:
    """The method resolution order as CPython uses it."""
    return _mro_of(cls)  # type: ignore[no-any-return]


def namespace_of(cls: type) -> MappingProxyType[str, Any]:
    """A class's own dictionary."""
    return _namespace_of(cls)  # type: ignore[no-any-return]


def class_attribute(cls: type, name: str) -> Any:
    """What the classes of the MRO hold under a name: the descriptor itself; else MISSING."""
    for base in mro_of(cls):
        value = namespace_of(base).get(name, MISSING)
        if value is not MISSING:
            return value
    return MISSING


def instance_attribute(thing: object, name: str) -> Any:
    """What an instance's own dictionary or C-level member holds under a name; else MISSING."""
    descriptor = class_attribute(type(thing), name)
    if _is_plain(descriptor):
        return _member(descriptor, thing)
    namespace = class_attribute(type(thing), "__dict__")
    if not _is_plain(namespace):
        return MISSING
    held = _member(namespace, thing)
    return dict.get(held, name, MISSING) if is_a(held, dict) else MISSING


def member(cls: type, name: str, thing: object) -> Any:
    """A C-level member that a built-in class defines, read from an instance of a subclass."""
    return _member(namespace_of(cls)[name], thing)


def _is_plain(descriptor: object) -> bool:
    """True for a slot or a getter that C code defines."""
    return type(descriptor) is MemberDescriptorType or type(descriptor) is GetSetDescriptorType


def _member(descriptor: Any, thing: object) -> Any:
    try:
        return descriptor.__get__(thing)
    except AttributeError:  # an empty slot
        return MISSING
