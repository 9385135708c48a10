"""`module:name` -> the live function. This is the one place that imports, and so runs, a module."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.machinery import ModuleSpec, PathFinder
from types import FunctionType, ModuleType
from typing import Any, NamedTuple

from coscope.errors import ImportFailed, TargetError, TargetNotFound
from coscope.model import Function
from coscope.readers.attributes import (
    MISSING,
    class_attribute,
    instance_attribute,
    is_a,
    member,
    mro_of,
    namespace_of,
)
from coscope.readers.from_object import from_object
from coscope.readers.selection import select
from coscope.readers.values import shortened, text_of


def resolve(module_name: str, qualname: str, *, unwrap: bool = False) -> Function:
    """Import a module and read what a qualified name finds in it.

    Classes are searched without running descriptors, so "mod:Order.total" finds a property's
    function. Where an attribute ends at a function, the rest names code nested in it.

    Raises:
        TargetNotFound: There is no such module, attribute or code object.
        ImportFailed: Importing raised.
        NoCodeObject: What was found has no bytecode.
    """
    found = locate(module_name, qualname)
    if found.rest:
        return select(from_object(found.thing, unwrap=unwrap), found.rest)
    return from_object(found.thing, unwrap=unwrap)


class Located(NamedTuple):
    """What a qualified name leads to in a module."""

    thing: Any  # as its owner's dictionary holds it: a descriptor is not asked
    owner: Any  # the module, class or instance that holds it
    rest: str  # what is left of the name where an attribute ends at a function, else empty


def locate(module_name: str, qualname: str) -> Located:
    """Import a module and find what a qualified name leads to, without running descriptors.

    Raises:
        TargetNotFound: There is no such module or attribute.
        ImportFailed: Importing raised.
    """
    if not qualname or not all(part.isidentifier() for part in module_name.split(".")):
        raise TargetNotFound(
            f"'{module_name}:{qualname}' is not of the form module:name",
            hint="Write for example json:dumps or json.encoder:JSONEncoder.encode.",
        )
    thing: object = import_module(module_name)
    owner: object = thing
    parts = qualname.split(".")
    for index, part in enumerate(parts):
        value = _attribute(thing, part)
        if value is MISSING:
            if index and not is_a(thing, type) and not is_a(thing, ModuleType):
                return Located(thing, owner, ".".join(parts[index:]))
            raise _no_attribute(module_name, parts, index, thing)
        owner, thing = thing, value
    return Located(thing, owner, "")


def import_module(name: str) -> ModuleType:
    """Import by dotted name, with the current directory first on the path as `python -m` has it.

    Raises:
        TargetNotFound: There is no such module.
        ImportFailed: It raised, or tried to leave the interpreter.
    """
    try:
        with _current_directory_first():
            return importlib.import_module(name)
    except ModuleNotFoundError as error:
        missing = error.name
        if missing is None or not (name == missing or name.startswith(f"{missing}.")):
            raise _failed(name, error) from error
        raise TargetNotFound(
            f"there is no module {name!r}", found=_nearest(missing), hint=_other_names(missing)
        ) from error
    except (KeyboardInterrupt, GeneratorExit):
        raise
    except BaseException as error:  # a module may raise SystemExit, or anything
        raise _failed(name, error) from error


@contextmanager
def _current_directory_first() -> Iterator[None]:
    here = os.getcwd()
    if "" in sys.path or here in sys.path:
        yield
        return
    sys.path.insert(0, here)
    try:
        yield
    finally:
        if here in sys.path:
            sys.path.remove(here)


def _failed(name: str, error: BaseException) -> ImportFailed:
    try:
        text = " ".join(str(error).split())
    except Exception:
        text = ""
    told = f"{type(error).__name__}: {shortened(text, 200)}" if text else type(error).__name__
    line, file = _raised_in(error)
    return ImportFailed(f"importing {name} raised {told}", file=file, line=line)


def _raised_in(error: BaseException) -> tuple[int | None, str | None]:
    """Place of the innermost frame outside the import machinery."""
    if type(error) is SyntaxError or type(error) is IndentationError:
        return error.lineno, error.filename
    trace = error.__traceback__
    place: tuple[int | None, str | None] = (None, None)
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if not file.startswith("<frozen ") and file not in (__file__, importlib.__file__):
            place = (trace.tb_lineno, file)
        trace = trace.tb_next
    return place


def _attribute(thing: Any, name: str) -> Any:
    """An attribute without running a descriptor; a module's own `__getattr__` is asked."""
    if is_a(thing, ModuleType):
        return _module_attribute(thing, name)
    if is_a(thing, type):
        return class_attribute(thing, name)
    if type(thing) is FunctionType and name not in thing.__dict__:
        return MISSING
    value = instance_attribute(thing, name)
    return class_attribute(type(thing), name) if value is MISSING else value


def _module_attribute(module: ModuleType, name: str) -> Any:
    namespace = member(ModuleType, "__dict__", module)
    value = dict.get(namespace, name, MISSING)
    if value is not MISSING:
        return value
    try:
        return getattr(module, name)  # PEP 562: part of the module, which was run by importing it
    except AttributeError:
        return MISSING
    except (KeyboardInterrupt, GeneratorExit):
        raise
    except BaseException as error:
        raise _failed(f"{text_of(namespace.get('__name__'))}:{name}", error) from error


def _no_attribute(module_name: str, parts: list[str], index: int, thing: object) -> TargetError:
    owner = ":".join([module_name, ".".join(parts[:index])]) if index else module_name
    names = [name for name in _names_in(thing) if type(name) is str]
    close = _similar(parts[index], names)
    before = "".join(f"{part}." for part in parts[:index])
    shown = [f"{module_name}:{before}{name}" for name in close]
    return TargetNotFound(
        f"{owner} has no attribute {parts[index]!r}",
        hint=f"Did you mean {' or '.join(shown)}?" if shown else None,
    )


def _names_in(thing: Any) -> list[Any]:
    if is_a(thing, ModuleType):
        return list(dict.keys(member(ModuleType, "__dict__", thing)))
    return [name for base in mro_of(thing) for name in namespace_of(base)]


def dotted_suggestion(target: str) -> str:
    """What the user may have meant by a dotted name without a colon. Nothing is imported."""
    parts = target.split(".")
    if not all(part.isidentifier() for part in parts):
        return "Give a file, file.py::name, or module:name."
    found = 0
    locations = None
    while found < len(parts):
        spec = _spec(".".join(parts[: found + 1]), locations)
        if spec is None:
            break
        found += 1
        locations = spec.submodule_search_locations
        if locations is None:
            break
    if found == 0:
        return f"There is no file and no module {parts[0]!r}."
    module, rest = ".".join(parts[:found]), ".".join(parts[found:])
    if rest:
        return f"Did you mean {module}:{rest}?"
    return f"Name something in the module: {module}:NAME."


def _spec(name: str, locations: Any) -> ModuleSpec | None:
    if locations is None and (name in sys.builtin_module_names or name in sys.modules):
        return getattr(sys.modules.get(name), "__spec__", None) or ModuleSpec(name, None)
    path = locations if locations is not None else [os.getcwd(), *sys.path]
    return PathFinder.find_spec(name, path)


def _nearest(missing: str) -> str | None:
    """The longest part of a missing module's name that does exist."""
    parent = missing.rpartition(".")[0]
    return f"{parent}, which has no {missing.rpartition('.')[2]!r}" if parent else None


def _other_names(missing: str) -> str | None:
    """Modules of the standard library with a similar name."""
    close = _similar(missing, sorted(sys.stdlib_module_names))
    return f"Did you mean {' or '.join(close)}?" if close else None


def _similar(name: str, names: list[str]) -> list[str]:
    from difflib import get_close_matches  # only for messages

    return get_close_matches(name, names, n=3, cutoff=0.7)
