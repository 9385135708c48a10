"""From an object to the Python functions that using it may run."""

from __future__ import annotations

import functools
import os
import sysconfig
from collections.abc import Iterator
from functools import cache
from types import FunctionType, MethodType
from typing import Any

from coscope.facts.dependencies.dispatchers import cells_of, registered, registry_of
from coscope.readers.attributes import (
    MISSING,
    class_attribute,
    instance_attribute,
    is_a,
    member,
    mro_of,
    namespace_of,
)
from coscope.readers.values import exact_text, name_of_class

_LRU_WRAPPER = type(functools.lru_cache(len))
_annotate = FunctionType.__dict__.get("__annotate__")  # 3.14+

Part = tuple[str, object]  # what it is called there, and the object


def held_by(thing: Any) -> Iterator[Part]:
    """What an object holds that its use may reach, by the names of `Held.name`.

    Read from C-level members and dictionaries; nothing of the object runs.
    """
    if type(thing) is FunctionType:
        yield from _held_by_function(thing)
    elif is_a(thing, MethodType):
        yield "__func__", member(MethodType, "__func__", thing)
        yield "__self__", member(MethodType, "__self__", thing)
    elif is_a(thing, functools.partial):
        yield from _held_by_partial(thing)
    elif is_a(thing, property):
        yield from _held_by_property(thing)
    elif is_a(thing, staticmethod):
        yield "__func__", member(staticmethod, "__func__", thing)
    elif is_a(thing, classmethod):
        yield "__func__", member(classmethod, "__func__", thing)
    elif any(is_a(thing, kind) for kind in (_LRU_WRAPPER, *_OWN_FUNC)):
        yield from _held_by_functools(thing)
    elif is_a(thing, type):
        yield from _held_by_class(thing)
    else:
        yield from _held_by_instance(thing)


def _held_by_partial(thing: object) -> Iterator[Part]:
    yield "partial.func", member(functools.partial, "func", thing)
    for index, value in enumerate(member(functools.partial, "args", thing)):
        yield f"partial.args[{index}]", value
    for name, value in list(dict.items(member(functools.partial, "keywords", thing))):
        if is_a(name, str):
            yield f"partial.keywords[{exact_text(name)!r}]", value


def _held_by_property(thing: object) -> Iterator[Part]:
    for name in ("fget", "fset", "fdel"):
        value = member(property, name, thing)
        if value is not None and value is not MISSING:
            yield name, value


def _held_by_functools(thing: object) -> Iterator[Part]:
    """The other wrappers of functools: caches, and what takes a method's place in a class body."""
    if is_a(thing, _LRU_WRAPPER):
        yield from _own(thing, "__wrapped__")
    elif is_a(thing, functools.partialmethod):
        yield from _held_by_partialmethod(thing)
    elif is_a(thing, functools.singledispatchmethod):
        yield from _own(thing, "func")
        yield from _registered(instance_attribute(thing, "dispatcher"))
    elif is_a(thing, functools.cached_property):
        yield from _own(thing, "func")


def _held_by_partialmethod(method: object) -> Iterator[Part]:
    yield from _own(method, "func")
    held, keywords = instance_attribute(method, "args"), instance_attribute(method, "keywords")
    if type(held) is tuple:
        yield from ((f"partial.args[{at}]", value) for at, value in enumerate(held))
    if type(keywords) is dict:
        for name, value in list(keywords.items()):
            if is_a(name, str):
                yield f"partial.keywords[{exact_text(name)!r}]", value


def _registered(dispatcher: object) -> Iterator[Part]:
    """The implementations of a `singledispatch` function."""
    registry = registry_of(dispatcher)
    for name, _, implementation in registered(registry) if registry is not None else ():
        yield f"registry[{name}]", implementation


_OWN_FUNC = (
    functools.partialmethod,
    functools.cached_property,
    functools.singledispatchmethod,
)


def _held_by_function(function: FunctionType) -> Iterator[Part]:
    for name, value in _defaults(function):
        if type(name) is str:
            yield f"default of {name}", value
    yield from _own_entry(function.__dict__, "__wrapped__")
    yield from _registered(function)
    if _annotate is not None:
        value = _annotate.__get__(function)
        if value is not None:
            yield "__annotate__", value


def _defaults(function: FunctionType) -> Iterator[Part]:
    co = function.__code__
    values = function.__defaults__
    if values:
        shown = tuple(tuple.__iter__(values))
        names = co.co_varnames[: co.co_argcount][-len(shown) :]
        yield from zip(names, shown[len(shown) - len(names) :], strict=True)
    if function.__kwdefaults__ is not None:
        yield from list(dict.items(function.__kwdefaults__))


def _own_entry(namespace: dict[str, object], name: str) -> Iterator[Part]:
    value = dict.get(namespace, name, MISSING)
    if value is not MISSING:
        yield name, value


def _own(thing: object, name: str) -> Iterator[Part]:
    value = instance_attribute(thing, name)
    if value is not MISSING:
        yield name, value


def _held_by_class(cls: type) -> Iterator[Part]:
    """Its own functions, and its bases."""
    yield from _own_functions(cls)
    for base in mro_of(cls)[1:]:
        yield name_of_class(base).rpartition(".")[2], base


def _own_functions(cls: type) -> Iterator[Part]:
    """What a class's own dictionary holds of functions and wrappers of functions."""
    for name, value in list(namespace_of(cls).items()):
        if type(name) is str and _runs_python(value):
            yield name, value


def functions_in(cls: type) -> Iterator[tuple[tuple[str, ...], FunctionType]]:
    """The Python functions that a class defines itself, and the steps to each from the class."""
    own = reversed(list(_own_functions(cls)))
    pending: list[tuple[tuple[str, ...], object]] = [((name,), value) for name, value in own]
    seen: set[int] = set()
    while pending:
        steps, thing = pending.pop()
        if id(thing) in seen:
            continue
        seen.add(id(thing))
        if type(thing) is FunctionType:
            yield steps, thing
        elif not is_a(thing, type) and leads_on(thing):
            parts = reversed(list(held_by(thing)))
            pending.extend(((*steps, name), part) for name, part in parts)


def _held_by_instance(thing: object) -> Iterator[Part]:
    """A callable instance: its `__call__`, and what it says it wraps."""
    call = class_attribute(type(thing), "__call__")
    if type(call) is FunctionType:
        yield "__call__", call
        space = instance_attribute(thing, "__dict__")
        entries = [*dict.items(space)] if is_a(space, dict) else []
        for name, value in entries:
            if type(name) is not str or name == "__wrapped__" or is_a(value, type):
                continue
            if leads_on(value):
                yield name, value
    if not _is_lazy(thing):
        yield from _own(thing, "__wrapped__")
    yield from wrapt_parts(thing)


def held_by_wrapper(function: FunctionType) -> Iterator[Part]:
    """What a library's function that was made at run time holds: the user's function is in it.

    Its cells, and lists and dictionaries in them; `__wrapped__`; what is registered in it.
    """
    yield from _own_entry(function.__dict__, "__wrapped__")
    yield from _registered(function)
    if registry_of(function) is not None:
        return
    for name, value in cells_of(function).items():
        yield name, value
        if type(value) is list or type(value) is tuple:
            yield from ((f"{name}[{at}]", item) for at, item in enumerate(value[:_MOST_ITEMS]))
        elif type(value) is dict:
            items = [*value.items()][:_MOST_ITEMS]
            yield from ((f"{name}[{key!r}]", item) for key, item in items if type(key) is str)


_MOST_ITEMS = 1_000  # of a container in a cell


def wrapt_parts(thing: object) -> Iterator[Part]:
    """What a function wrapper of wrapt, whose fields are in C code, calls and wraps."""
    names = [name_of_class(base).rpartition(".")[2] for base in mro_of(type(thing))]
    if "_FunctionWrapperBase" in names and not _is_lazy(thing):
        for name in ("__wrapped__", "_self_wrapper", "_self_instance"):
            yield from _own(thing, name)


def _is_lazy(thing: object) -> bool:
    """True for a proxy that makes what it wraps when somebody looks."""
    return any("Lazy" in name_of_class(base) for base in mro_of(type(thing))[:-1])


def _runs_python(value: object) -> bool:
    """True for a function, and for what wraps functions in a class body."""
    return type(value) is FunctionType or any(is_a(value, kind) for kind in _IN_CLASSES)


_IN_CLASSES = (
    staticmethod,
    classmethod,
    property,
    functools.partial,
    _LRU_WRAPPER,
    *_OWN_FUNC,
)


def leads_on(thing: object) -> bool:
    """True if the object is a function, a class, or something made to be called in their place."""
    return (
        type(thing) is FunctionType
        or any(is_a(thing, kind) for kind in (MethodType, type, *_IN_CLASSES))
        or type(class_attribute(type(thing), "__call__")) is FunctionType
        or any(True for _ in wrapt_parts(thing))
    )


_INSTALLED = ("site-packages", "dist-packages")  # folders, wherever they are


@cache
def _libraries() -> tuple[str, ...]:
    """Beginnings of the names of files of the standard library and of installed packages."""
    found = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    found.add(os.path.dirname(os.__file__))  # it may lie in an archive
    return ("<frozen ", *(os.path.join(path, "") for path in found if path))


def package_of(function: FunctionType) -> str:
    """Top package of the module whose globals the function has; "" if unknown."""
    name = dict.get(function.__globals__, "__name__")
    return name.partition(".")[0] if type(name) is str else ""


def is_of_a_library(function: FunctionType) -> bool:
    """True if its code comes from the standard library or an installed package."""
    file = exact_text(function.__code__.co_filename)
    return file.startswith(_libraries()) or any(folder in file for folder in _INSTALLED)
