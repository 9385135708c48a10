"""What live objects hold, read without running any of their code.

Of exact built-in types the contents are read, of instances of the user's classes their
dictionaries and slots. Everything else the caller identifies by name, or lists as unknown.
"""

from __future__ import annotations

import abc
import builtins
import functools
import gc
import sys
from collections.abc import Callable, Iterator
from types import (
    ClassMethodDescriptorType,
    DynamicClassAttribute,
    GenericAlias,
    GetSetDescriptorType,
    MappingProxyType,
    MemberDescriptorType,
    MethodDescriptorType,
    MethodType,
    MethodWrapperType,
    ModuleType,
    UnionType,
    WrapperDescriptorType,
)
from typing import Any

from coscope.facts.dependencies.following import held_by
from coscope.facts.fingerprints.provenance import module_namespace, origin_of_class
from coscope.readers.attributes import (
    MISSING,
    class_attribute,
    instance_attribute,
    is_a,
    mro_of,
    namespace_of,
)
from coscope.readers.recent_types import is_frozen_dict
from coscope.readers.values import exact_text, name_of_class

Part = tuple[str, object]  # what it is called there, and the object

# What a class says about where and how it was written, or what repeats what is listed elsewhere.
_ABOUT_ITSELF = frozenset(
    (
        *("__module__", "__qualname__", "__firstlineno__", "__static_attributes__", "__dict__"),
        *("__weakref__", "__annotations__", "__annotations_cache__", "__annotate__"),
        *("__annotate_func__", "__classdictcell__", "__type_params__", "__parameters__"),
        *("__orig_bases__", "_abc_impl"),
    )
)

# Immutable types of the standard library whose instances the library itself can write.
_WRITERS: dict[tuple[str, str], Callable[[Any], str]] = {
    ("builtins", "range"): repr,
    ("datetime", "date"): repr,
    ("datetime", "timezone"): repr,
    ("zoneinfo", "ZoneInfo"): lambda thing: str(thing.key),
    ("ipaddress", "IPv4Address"): str,
    ("ipaddress", "IPv6Address"): str,
    ("ipaddress", "IPv4Network"): str,
    ("ipaddress", "IPv6Network"): str,
    ("datetime", "timedelta"): repr,
    ("decimal", "Decimal"): str,
    ("uuid", "UUID"): str,
    ("re", "Pattern"): lambda thing: f"{thing.pattern!a} {thing.flags}",
    ("pathlib", "PosixPath"): str,
    ("pathlib", "WindowsPath"): str,
    ("pathlib", "PurePosixPath"): str,
    ("pathlib", "PureWindowsPath"): str,
}

# Modules whose classes, written in Python, keep everything in dictionaries and slots.
_TRANSPARENT = frozenset(("dataclasses", "enum", "types", "fractions", "collections"))

# What wraps functions in a class body or for a call.
_WRAPPERS: tuple[type, ...] = (
    MethodType,
    staticmethod,
    classmethod,
    property,
    functools.partial,
    functools.partialmethod,
    functools.cached_property,
    functools.singledispatchmethod,
    type(functools.lru_cache(len)),
)

C_DESCRIPTORS: tuple[type, ...] = (
    MethodDescriptorType,
    WrapperDescriptorType,
    ClassMethodDescriptorType,
    GetSetDescriptorType,
    MemberDescriptorType,
)

# What the part of an instance that a built-in base holds is, by C code alone.
_BASES: tuple[tuple[type, Callable[[Any], object]], ...] = (
    (int, int.__index__),
    (float, float.__float__),
    (complex, lambda thing: complex.__add__(thing, 0j)),
    (str, str.__str__),
    (bytes, lambda thing: bytes.__getitem__(thing, slice(None))),
    (tuple, lambda thing: tuple(tuple.__iter__(thing))),
    (list, lambda thing: list(list.__iter__(thing))),
    (dict, lambda thing: dict(dict.items(thing))),
    (set, lambda thing: set(set.__iter__(thing))),
    (frozenset, lambda thing: frozenset(frozenset.__iter__(thing))),
    (BaseException, lambda thing: namespace_of(BaseException)["args"].__get__(thing)),
)


def plain_text(thing: object) -> str | None:
    """An object of a known immutable type of the standard library, as text; else None."""
    kind = type(thing)
    if type(kind) is not type:
        return None
    for module, name in _written(kind):
        space: Any = dict.get(sys.modules, module)
        if is_a(space, ModuleType) and dict.get(module_namespace(space), name) is kind:
            return f"{module}.{name} {_WRITERS[module, name](thing)}"
    return None


def _written(kind: type) -> Iterator[tuple[str, str]]:
    name = name_of_class(kind).rpartition(".")[2]
    return (key for key in _WRITERS if key[1] == name)


def is_wrapper(thing: object) -> bool:
    """True for a bound method, partial, property, cached function and their like."""
    return any(is_a(thing, kind) for kind in _WRAPPERS)


def is_transparent(thing: object) -> bool:
    """True for an instance of a class that a class statement made: the user's, or a plain one."""
    cls = type(thing)
    name = namespace_of(cls).get("__module__")
    if type(name) is str and name in _TRANSPARENT and origin_of_class(cls).kind == "python":
        return cls is DynamicClassAttribute or is_of_a_statement(cls)
    return origin_of_class(cls).kind == "user" and is_of_a_statement(cls)


_flags_of = type.__dict__["__flags__"].__get__
_size_of = type.__dict__["__basicsize__"].__get__
_base_of = type.__dict__["__base__"].__get__
_HEAP, _IMMUTABLE = 1 << 9, 1 << 8  # Py_TPFLAGS_HEAPTYPE, Py_TPFLAGS_IMMUTABLETYPE
_WORD = tuple.__itemsize__  # bytes of a pointer


def is_of_a_statement(cls: type) -> bool:
    """True if a class statement made a class: whatever its instances hold, Python can see.

    Its instances are larger than those of its base by its slots, its dictionary and its list of
    weak references alone. C code that makes a class adds fields of its own, and is in a native
    module.
    """
    flags = _flags_of(cls)
    if not flags & _HEAP or flags & _IMMUTABLE or is_of_c_module(cls):
        return False
    own = namespace_of(cls)
    slots = sum(type(value) is MemberDescriptorType for value in own.values())
    slots += sum(name in own for name in ("__dict__", "__weakref__"))
    base = _base_of(cls)
    return base is not None and _size_of(cls) - _size_of(base) <= slots * _WORD


def is_of_c_module(cls: type) -> bool:
    """True if the module that a class names was loaded from a native file or from no file."""
    name = namespace_of(cls).get("__module__")
    module: Any = dict.get(sys.modules, name) if type(name) is str else None
    if not is_a(module, ModuleType):
        return type(name) is str and name.startswith("_cython_")
    file = dict.get(module_namespace(module), "__file__")
    return type(file) is str and file.endswith(_NATIVE)


_NATIVE = (".so", ".pyd", ".dll", ".dylib")


def wrapper_parts(thing: object) -> list[Part]:
    """What a wrapper holds: functions, arguments, `__self__`."""
    return list(held_by(thing))


def container_items(thing: Any) -> list[Any]:
    """The items of a list or set in its order, keys then values of a dict; for comparison."""
    if type(thing) is dict or is_frozen_dict(type(thing)):
        return [*thing.keys(), *thing.values()]
    return list(thing)


def class_parts(cls: type, docstrings: bool) -> list[Part]:
    """A class's own dictionary in order of names, without what is listed elsewhere."""
    left_out = _ABOUT_ITSELF if docstrings else _ABOUT_ITSELF | {"__doc__"}
    entries = [
        (name, value)
        for name, value in list(namespace_of(cls).items())
        if type(name) is str and name not in left_out
    ]
    return sorted(entries, key=lambda entry: entry[0])


def class_contents(cls: type) -> list[object]:
    """Everything that a class's dictionary holds, its bases and its metaclass; for comparison."""
    namespace = namespace_of(cls)
    return [*mro_of(cls), type(cls), *namespace.keys(), *namespace.values()]


def _own_dictionary(thing: object) -> dict[str, object]:
    """A copy of an instance's `__dict__`, as far as its keys are plain strings."""
    space = class_attribute(type(thing), "__dict__")
    if type(space) is not GetSetDescriptorType:
        return {}
    held = space.__get__(thing)
    if not is_a(held, dict):
        return {}
    return {name: value for name, value in dict.items(held) if type(name) is str}


def instance_parts(thing: object) -> list[Part]:
    """What an instance's dictionary and slots hold, in order of names."""
    found = _own_dictionary(thing)
    for base in mro_of(type(thing)):
        for name, value in list(namespace_of(base).items()):
            if not is_of_a_statement(base):
                break  # a member of C code is not content, and may be an address
            if type(value) is MemberDescriptorType and name not in found:
                inner = instance_attribute(thing, name)
                if inner is not MISSING:
                    found[exact_text(name)] = inner
    return sorted(found.items(), key=lambda entry: entry[0])


def instance_contents(thing: object) -> list[object]:
    """Names and objects that an instance holds; for comparison."""
    parts = instance_parts(thing)
    base = base_value(thing)
    inner = container_items(base) if type(base) in (list, dict, set) else []
    return [*(sys.intern(name) for name, _ in parts), *(value for _, value in parts), *inner]


def base_value(thing: object) -> Any:
    """What an instance holds as an int, str, dict, ... that its class derives from; or MISSING."""
    for base, read in _BASES:
        if is_a(thing, base):
            return read(thing)
    return MISSING


def virtual_subclasses(cls: type) -> list[Part]:
    """The classes that were registered with an abstract base class, in order of names."""
    held = namespace_of(cls).get("_abc_impl", MISSING)
    if held is MISSING or name_of_class(type(held)) != "_abc._abc_data":
        return []
    registry = vars(abc)["_get_dump"](cls)[0]  # weak references
    found = [reference() for reference in registry]
    return sorted((name_of_class(each), each) for each in found if each is not None)


def hidden_bases(cls: type) -> list[type]:
    """Classes among its bases that C code made, but for plain built-in types."""
    plain = {object, *(base for base, _ in _BASES)}
    return [
        base
        for base in mro_of(cls)
        if not any(base is each for each in plain)
        and not issubclass(base, BaseException)
        and not is_of_a_statement(base)
        and not (cls is DynamicClassAttribute and is_a(base, type))
    ]


def proxied(proxy: MappingProxyType[object, object]) -> object:
    """The dict behind a mapping proxy; MISSING if it is something else."""
    inner = gc.get_referents(proxy)
    return inner[0] if len(inner) == 1 and type(inner[0]) is dict else MISSING


def alias_parts(thing: object) -> list[Part] | None:
    """Origin and arguments of `list[int]`, `int | str`; None of another object."""
    if type(thing) is GenericAlias:
        return [("origin", thing.__origin__), ("arguments", thing.__args__)]
    if type(thing) is UnionType:
        return [("arguments", thing.__args__)]
    return None


def c_descriptor_text(thing: Any) -> str | None:
    """A method or member that C code defines, or a sentinel (3.15): by its name."""
    if type(thing) is MethodWrapperType:
        return None
    if any(type(thing) is kind for kind in C_DESCRIPTORS):
        if type(thing) is MemberDescriptorType:
            return "slot"
        owner = thing.__objclass__
        return f"{origin_of_class(owner).text} {name_of_class(owner)}.{thing.__name__}"
    # CPython 3.11 names its module with an underscore.
    if name_of_class(type(thing)) in ("collections._tuplegetter", "_collections._tuplegetter"):
        return "field of a named tuple"
    if type(thing) is vars(builtins).get("sentinel"):
        # PEP 661: an object without content, unique by the module and name that it was given.
        return f"sentinel {thing.__module__}.{thing.__name__}"
    return None
