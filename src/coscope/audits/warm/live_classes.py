"""What the living classes and functions say of attributes: who has them, and who stores them.

Read through the garbage collector and the classes' own namespaces: nobody's code runs.
"""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator
from types import CodeType, FunctionType

from coscope.opcodes import table
from coscope.readers.attributes import MISSING, class_attribute, is_a, mro_of, namespace_of
from coscope.readers.from_function import HOST_VERSION
from coscope.readers.live_code import code_bytes

_INLINE_VALUES = 1 << 2  # of `__flags__`; Include/object.h of CPython 3.13 to 3.15


def codes(unit: object) -> tuple[tuple[str, CodeType], ...]:
    """The package and the code of each function."""
    functions = [thing for thing in gc.get_objects() if type(thing) is FunctionType]
    return tuple((package_of(function), function.__code__) for function in functions)


def classes(unit: object) -> tuple[type, ...]:
    return tuple(thing for thing in gc.get_objects() if is_a(thing, type))


def package_of(thing: object) -> str:
    if type(thing) is FunctionType:
        name = dict.get(thing.__globals__, "__name__")
    else:
        name = type.__dict__["__module__"].__get__(thing)
    return name.partition(".")[0] if type(name) is str else ""


def is_descriptor(value: object) -> bool:
    found = (class_attribute(type(value), name) for name in ("__get__", "__set__", "__delete__"))
    return any(each is not MISSING for each in found)


def has_own_getattribute(cls: type) -> bool:
    return class_attribute(cls, "__getattribute__") is not object.__dict__["__getattribute__"]


def keeps_values_inline(cls: type) -> bool:
    """True if the attributes of instances lie in the instances, until one asks for `__dict__`."""
    flags: int = type.__dict__["__flags__"].__get__(cls)
    return bool(flags & _INLINE_VALUES)


def stores(cls: type, attribute: str) -> bool:
    """True if methods of a class, or its dataclass fields, give its instances an attribute."""
    for base in mro_of(cls):
        namespace = namespace_of(base)
        fields = namespace.get("__dataclass_fields__")
        if type(fields) is dict and attribute in fields:
            return True
        if any(
            attribute in co.co_names and attribute in stored_by(co)
            for co in _functions(namespace.values())
        ):
            return True
    return False


def _functions(values: Iterable[object]) -> Iterator[CodeType]:
    for value in list(values):
        if type(value) is FunctionType:
            yield value.__code__


def stored_by(co: CodeType) -> frozenset[str]:
    """Names of attributes that a method stores, to whatever object."""
    rows = table(HOST_VERSION)
    code, store = code_bytes(co, HOST_VERSION), rows.opcodes["STORE_ATTR"].code
    found = set()
    at = oparg = 0
    while at < len(code):
        opcode = code[at]
        oparg = oparg << 8 | code[at + 1]
        if opcode == store:
            found.add(co.co_names[oparg])
        if opcode != rows.extended_arg:
            oparg = 0
        at += 2 * rows.steps[opcode]
    return frozenset(found)
