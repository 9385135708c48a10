"""The live objects of modules that were imported: what their names hold, and the functions in them.

Nothing of them is called, and no descriptor is asked: see `readers.attributes`.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Container, Iterable, Iterator
from types import FunctionType, ModuleType
from typing import Any

from coscope.audits.options import Options
from coscope.audits.subject.objects import Live, innermost
from coscope.audits.subject.subject import Subject, Unit
from coscope.audits.subject.world import World
from coscope.readers.attributes import is_a, member, namespace_of
from coscope.readers.from_function import HOST_VERSION
from coscope.readers.values import exact_text

_DEEPEST = 8  # classes in classes


def modules_of(package: str) -> list[ModuleType]:
    """The loaded modules of a package, itself first, then by name."""
    found = []
    for name, module in sorted(dict(sys.modules).items()):
        if (name == package or name.startswith(f"{package}.")) and is_a(module, ModuleType):
            found.append(module)
    return found


def files_of(modules: Iterable[ModuleType]) -> list[str]:
    """The source files of modules, each once."""
    files = [dict.get(member(ModuleType, "__dict__", each), "__file__") for each in modules]
    return list(dict.fromkeys(f for f in files if type(f) is str and f.endswith(".py")))


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
    package: str,
    options: Options | None = None,
    *,
    warm: bool = False,
    codes: Container[int] | None = None,
) -> Iterator[Subject]:
    """The live objects of a package, as what live rules look at.

    First what names of its modules and of their classes hold, each object under its first name;
    then the functions that no name holds. Of a module, only what was defined in the package.

    Args:
        package: Its name.
        options: Limits of the rules.
        warm: Its code has run.
        codes: Only functions with one of these code objects, by `id()`.
    """
    units: dict[str, Unit] = {}
    world = World(package)
    for live in _lives(package):
        function = live.function
        if codes is not None and (function is None or id(function.__code__) not in codes):
            continue
        subject = _subject(live, units, world, options, warm)
        if subject is not None:
            yield subject


def _lives(package: str) -> Iterator[Live]:
    seen: set[int] = set()
    named: set[int] = set()
    for module in modules_of(package):
        for live in _named_in(module, package, seen):
            if live.function is not None:
                named.add(id(live.function))
            yield live
    for function in functions_of(package):
        if id(function) not in named:
            qualname = exact_text(function.__qualname__)
            target = f"{_module_name(function)}:{qualname}"
            yield Live(function, function, target=target)


def _named_in(module: ModuleType, package: str, seen: set[int]) -> Iterator[Live]:
    namespace = member(ModuleType, "__dict__", module)
    prefix = f"{dict.get(namespace, '__name__')}:"
    yield from _held(module, dict.copy(namespace), prefix, package, seen, _DEEPEST)


def _held(
    owner: object, namespace: Any, prefix: str, package: str, seen: set[int], depth: int
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
        if function is None or not _belongs(function, package):
            continue
        seen.add(id(thing))
        yield Live(thing, function, owner, name, f"{prefix}{name}")


def _module_of(cls: type, package: str) -> bool:
    return _within(namespace_of(cls).get("__module__"), package)


def _belongs(function: FunctionType, package: str) -> bool:
    """True if it was defined in the package, or says so: functools.wraps copies `__module__`."""
    return _within(_module_name(function), package) or _within(function.__module__, package)


def _module_name(function: FunctionType) -> object:
    """Name of the module in which the function was defined."""
    return dict.get(function.__globals__, "__name__")


def _within(name: object, package: str) -> bool:
    return type(name) is str and (name == package or name.startswith(f"{package}."))


def _subject(
    live: Live, units: dict[str, Unit], world: World, options: Options | None, warm: bool
) -> Subject | None:
    """What rules look at; None for a function that cannot be read."""
    read = live.read
    if read is None:
        return None
    file = read.code.filename
    unit = units.get(file)
    if unit is None:
        unit = units[file] = Unit(file, None, read.source, HOST_VERSION, options, warm=warm)
        unit.world = world
    return Subject(read.code, unit, live)
