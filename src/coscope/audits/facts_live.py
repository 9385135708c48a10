"""The live objects of modules that were imported: what their names hold, and the functions in them.

Nothing of them is called, and no descriptor is asked: see `readers.attributes`.
"""

from __future__ import annotations

import functools
import gc
import sys
from collections.abc import Iterator
from types import FunctionType, ModuleType
from typing import Any

from coscope.audits.facts import Subject, Unit
from coscope.audits.facts_objects import Live, innermost
from coscope.audits.options import Options
from coscope.errors import CoscopeError
from coscope.model import Code, Source
from coscope.readers.attributes import is_a, member, namespace_of
from coscope.readers.from_function import HOST_VERSION
from coscope.readers.from_source import from_source
from coscope.readers.sources import source_of
from coscope.readers.values import exact_text

_DEEPEST = 8  # classes in classes


def modules_of(package: str) -> list[ModuleType]:
    """The loaded modules of a package, itself first, then by name."""
    found = []
    for name, module in sorted(dict(sys.modules).items()):
        if (name == package or name.startswith(f"{package}.")) and is_a(module, ModuleType):
            found.append(module)
    return found


def functions_of(package: str) -> list[FunctionType]:
    """Every live function whose code was defined in a package: also those that only cells hold.

    In the order of files and lines; of functions with the same code in the order of the collector.
    """
    found = [
        thing
        for thing in gc.get_objects()
        if type(thing) is FunctionType and _within(dict.get(thing.__globals__, "__name__"), package)
    ]
    found.sort(key=lambda each: (each.__code__.co_filename, each.__code__.co_firstlineno))
    return found


def subjects_of(
    package: str, options: Options | None = None, *, warm: bool = False
) -> Iterator[Subject]:
    """The live objects of a package, as what live rules look at.

    First what names of its modules and of their classes hold, each object under its first name;
    then the functions that no name holds. Of a module, only what was defined in the package.
    """
    units: dict[str, Unit] = {}
    seen: set[int] = set()
    named: set[int] = set()
    for module in modules_of(package):
        for live in _named_in(module, package, seen):
            if live.function is not None:
                named.add(id(live.function))
            subject = _subject(live, module, units, options, warm)
            if subject is not None:
                yield subject
    for function in functions_of(package):
        if id(function) not in named:
            qualname = exact_text(function.__qualname__)
            target = f"{dict.get(function.__globals__, '__name__')}:{qualname}"
            live = Live(function, function, target=target)
            subject = _subject(live, None, units, options, warm)
            if subject is not None:
                yield subject


def _named_in(module: ModuleType, package: str, seen: set[int]) -> Iterator[Live]:
    namespace = member(ModuleType, "__dict__", module)
    prefix = f"{dict.get(namespace, '__name__')}:"
    yield from _held(module, dict.copy(namespace), prefix, package, seen, _DEEPEST)


def _held(
    owner: Any, namespace: Any, prefix: str, package: str, seen: set[int], depth: int
) -> Iterator[Live]:
    for name, thing in list(namespace.items()):
        if type(name) is not str or id(thing) in seen or is_a(thing, ModuleType):
            continue
        if is_a(thing, type):
            if depth and _module_of(thing, package):
                seen.add(id(thing))
                inner = namespace_of(thing)
                yield from _held(thing, inner, f"{prefix}{name}.", package, seen, depth - 1)
            continue
        function = innermost(thing)
        if not _is_of_package(thing, function, owner, package):
            continue
        seen.add(id(thing))
        yield Live(thing, function, owner, name, f"{prefix}{name}")


def _is_of_package(thing: Any, function: FunctionType | None, owner: Any, package: str) -> bool:
    """True for the package's own functions, and for whatever else its classes hold."""
    if is_a(owner, type):
        return function is not None or is_a(thing, functools.partial)
    return function is not None and _within(dict.get(function.__globals__, "__name__"), package)


def _module_of(cls: type, package: str) -> bool:
    return _within(namespace_of(cls).get("__module__"), package)


def _within(name: Any, package: str) -> bool:
    return type(name) is str and (name == package or name.startswith(f"{package}."))


def _subject(
    live: Live,
    module: ModuleType | None,
    units: dict[str, Unit],
    options: Options | None,
    warm: bool,
) -> Subject | None:
    """What rules look at; None of an object that is no Python function and has no source."""
    read = live.read
    if read is not None:
        source, file = read.source, read.code.filename
    else:
        held = dict.get(member(ModuleType, "__dict__", module), "__file__")
        file = held if type(held) is str else ""
        source = source_of(file)
    unit = units.get(file)
    if unit is None:
        unit = units[file] = Unit(file, None, source, HOST_VERSION, options, warm=warm)
    if read is not None:
        return Subject(read.code, unit, live)
    code = None if source is None else _class_body(source, live.owner)
    return None if code is None else Subject(code, unit, live)


def _class_body(source: Source, cls: Any) -> Code | None:
    """The code of a class's body, compiled from the source of its module; never executed."""
    name = type.__dict__["__qualname__"].__get__(cls)
    whole = _compiled(source)
    for code in () if whole is None else whole.walk():
        if code.kind == "class body" and code.qualname == name:
            return code
    return None


@functools.lru_cache(maxsize=8)
def _compiled(source: Source) -> Code | None:
    try:
        return from_source("\n".join(source.lines), source.file).code
    except CoscopeError:
        return None
