"""Everyday values of C code whose content is read by that code alone: dates, arrays, counters.

Each is taken only if its type is exactly the one of that name in its own module. What the value
holds of other objects is given as parts; the rest is text.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from hashlib import sha256
from types import ModuleType, SimpleNamespace
from typing import Any

from coscope.facts.fingerprints.provenance import module_namespace, origin_of_class
from coscope.readers.attributes import MISSING, instance_attribute, is_a, mro_of, namespace_of
from coscope.readers.values import exact_text, name_of_class

Part = tuple[str, Any]  # what it is called there, and the object

LARGEST = 1 << 28  # bytes of an array that are read


def _moment(thing: Any) -> list[Part]:
    """A datetime or time: its fields, and the zone as an object of its own."""
    names = ("year", "month", "day", "hour", "minute", "second", "microsecond", "fold")
    fields = [(name, getattr(thing, name)) for name in names if hasattr(type(thing), name)]
    return [*fields, ("tzinfo", thing.tzinfo)]


def _queue(thing: Any) -> list[Part]:
    return [("maxlen", thing.maxlen), ("items", list(thing))]


def _pairs(thing: Any) -> list[Part]:
    return [("items", tuple(dict.items(thing)))]


def _ordered(thing: Any) -> list[Part]:
    return [("items", tuple(type(thing).items(thing)))]


def _with_factory(thing: Any) -> list[Part]:
    return [("default_factory", thing.default_factory), *_pairs(thing)]


def _namespace(thing: Any) -> list[Part]:
    space = namespace_of(SimpleNamespace)["__dict__"].__get__(thing)
    return sorted((name, value) for name, value in space.items() if type(name) is str)


def _slice(thing: Any) -> list[Part]:
    return [("start", thing.start), ("stop", thing.stop), ("step", thing.step)]


def _reduced(thing: Any) -> list[Part]:
    """`itemgetter`, `attrgetter`, `methodcaller`: what C code says it is made of."""
    reduce: Any = namespace_of(type(thing))["__reduce__"]
    return [("made from", reduce(thing))]


def _typed_items(thing: Any) -> list[Part]:
    return [("typecode", thing.typecode), ("bytes", sha256(thing.tobytes()).hexdigest())]


# Types whose content may change while the object stays the same, and the rest.
_MUTABLE: dict[tuple[str, str], Callable[[Any], list[Part]]] = {
    ("collections", "deque"): _queue,
    ("collections", "OrderedDict"): _ordered,
    ("collections", "Counter"): _pairs,
    ("collections", "defaultdict"): _with_factory,
    ("types", "SimpleNamespace"): _namespace,
    ("array", "array"): _typed_items,
}
_FIXED: dict[tuple[str, str], Callable[[Any], list[Part]]] = {
    ("datetime", "datetime"): _moment,
    ("datetime", "time"): _moment,
    ("builtins", "slice"): _slice,
    ("operator", "itemgetter"): _reduced,
    ("operator", "attrgetter"): _reduced,
    ("operator", "methodcaller"): _reduced,
}


def everyday_parts(thing: object) -> list[Part] | None:
    """What an everyday value holds; None for any other object."""
    found = _reader(thing, _FIXED) or _reader(thing, _MUTABLE)
    if found is not None:
        return found(thing)
    return _array(thing)


def is_mutable(thing: object) -> bool:
    """True for an everyday value whose content may change."""
    return _reader(thing, _FIXED) is None


def everyday_contents(thing: object) -> list[object]:
    """The objects that it holds, for comparison by identity."""
    found: list[object] = []
    for label, value in everyday_parts(thing) or ():
        found.append(sys.intern(label))
        items = value if type(value) in (tuple, list) else (value,)
        for item in items:
            found.extend(item if type(item) is tuple else (item,))
    return found


def _reader(
    thing: object, readers: dict[tuple[str, str], Callable[[Any], list[Part]]]
) -> Callable[[Any], list[Part]] | None:
    kind = type(thing)
    name = name_of_class(kind).rpartition(".")[2]
    for (module, wanted), read in readers.items():
        if wanted == name and is_of_module(kind, module, name):
            return read
    return None


def is_of_module(kind: type, module: str, name: str) -> bool:
    """True if a loaded module has exactly this class under the name."""
    space: Any = dict.get(sys.modules, module)
    return is_a(space, ModuleType) and dict.get(module_namespace(space), name) is kind


# numpy


def _array(thing: object) -> list[Part] | None:
    """An array, a scalar or a dtype of numpy, by dtype, shape and bytes; None if it is opaque."""
    numpy: Any = dict.get(sys.modules, "numpy")
    if not is_a(numpy, ModuleType):
        return None
    space = module_namespace(numpy)
    names = ("ndarray", "generic", "dtype")
    array, scalar, kind = (_class(dict.get(space, name)) for name in names)
    value: Any = thing
    if is_a(thing, kind) and _is_numpys(type(thing)):
        return [("dtype", _dtype(value))] if not value.hasobject else None
    is_scalar = is_a(thing, scalar) and _is_numpys(type(thing))
    if type(thing) is not array and not is_scalar:
        return None
    return _array_content(value)


def _array_content(value: Any) -> list[Part] | None:
    """What an array or a scalar holds; None if it holds objects, or too much."""
    if value.dtype.hasobject or value.nbytes > LARGEST:
        return None
    digest = sha256(value.tobytes()).hexdigest()
    return [("dtype", _dtype(value.dtype)), ("shape", tuple(value.shape)), ("bytes", digest)]


def _is_numpys(cls: type) -> bool:
    return name_of_class(cls).startswith("numpy.")


def _class(held: object) -> type:
    """A class of numpy; one that nothing is of, if numpy is not what it was."""
    return held if isinstance(held, type) else _Nothing


class _Nothing:
    """No instances."""


def _dtype(dtype: Any) -> str:
    """Order of bytes, kind and size; of a record its fields."""
    return f"{dtype.str} {dtype.descr!r}"


# Members of classes, identified by name


def member_text(thing: object) -> str | None:
    """A member of an enumeration of Python's or of a library, by name; None for anything else."""
    enum: Any = dict.get(sys.modules, "enum")
    if not is_a(enum, ModuleType):
        return None
    base = dict.get(module_namespace(enum), "Enum")
    cls = type(thing)
    if not is_a(base, type) or not any(each is base for each in mro_of(cls)):
        return None
    origin = origin_of_class(cls)
    name = instance_attribute(thing, "_name_")
    if origin.kind == "user" or not is_a(name, str) or name is MISSING:
        return None
    return f"{origin.text} {name_of_class(cls)}.{exact_text(name)}"
