"""`module:name` -> the live function. This is the one place that imports, and so runs, a module."""

from __future__ import annotations

import builtins
import importlib
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.machinery import ModuleSpec, PathFinder
from itertools import takewhile
from types import FunctionType, MethodType, ModuleType
from typing import Any, NamedTuple

from coscope.errors import ImportFailed, TargetError, TargetNotFound
from coscope.readers.attributes import MISSING, is_a, member
from coscope.readers.from_object import leads_to_python
from coscope.readers.members import Attribute, attribute_of, names_in
from coscope.readers.naming import HINT, Step, refuse_files, steps_of
from coscope.readers.values import shortened, text_of, type_name_of

_SHOWN = 6  # keys in a message


class Located(NamedTuple):
    """What a qualified name leads to in a module."""

    thing: object  # as attribute access gives it, see `members.attribute_of`
    rest: str = ""  # what is left of the name where an attribute ends at a function, else empty
    warnings: tuple[str, ...] = ()
    owner: object = MISSING  # the module, class or instance whose attribute it is


def locate_in(module_name: str, qualname: str) -> Located:
    """Import a module and find what a qualified name leads to. No user's descriptor runs.

    Args:
        module_name: Dotted.
        qualname: Names of attributes and items: `Order.total`, `handlers["get"].run`. Where an
            attribute ends at a function, the rest names code nested in it. Empty: the module.

    Raises:
        TargetNotFound: There is no such module, attribute or item.
        ImportFailed: Importing raised.
    """
    _check_form(module_name, qualname)
    steps = steps_of(qualname) if qualname else []
    thing: object = import_module(module_name)
    owner: object = MISSING
    warnings: list[str] = []
    for index, step in enumerate(steps):
        if step.name is None:
            owner, thing = MISSING, _item(module_name, steps, index, thing)
            continue
        if is_a(thing, ModuleType):
            found = Attribute(_module_attribute(thing, step.name))  # type: ignore[arg-type]
        else:
            found = _attribute(thing, step.name)
        if found.value is MISSING:
            if _holds_code(thing):
                return Located(thing, _written(steps[index:]), tuple(warnings))
            raise _no_attribute(module_name, steps, index, thing)
        if found.unbound is not None:
            warnings.append(
                f"{_written(steps[: index + 1])} is shown as the class holds it: "
                f"{found.unbound}.__get__ is not run, and may give another object"
            )
        owner, thing = thing, found.value
    return Located(thing, "", tuple(warnings), owner)


def _check_form(module_name: str, qualname: str) -> None:
    """Refuse what cannot be a name, before anything is imported for it.

    Raises:
        TargetNotFound: It is not of the form module:name, or has a line instead of a name.
    """
    if not all(part.isidentifier() for part in module_name.split(".")):
        raise TargetNotFound(
            f"'{module_name}:{qualname}' is not of the form module:name",
            hint="Write for example json:dumps or json.encoder:JSONEncoder.encode.",
        )
    if qualname[:1].isdecimal():
        raise TargetNotFound(
            f"'{module_name}:{qualname}' names no attribute",
            hint=f"For a line give the file: {module_name.replace('.', '/')}.py:{qualname}.",
        )


def _written(steps: Sequence[Step]) -> str:
    return "".join(step.text for step in steps).removeprefix(".")


def _attribute(thing: object, name: str) -> Attribute:
    """An attribute of no module. Of a function only what its dictionary holds.

    A method hands what it does not have itself on to its function.
    """
    if type(thing) is FunctionType:
        return Attribute(dict.get(thing.__dict__, name, MISSING))
    if type(thing) is MethodType and name not in ("__func__", "__self__"):
        return _attribute(thing.__func__, name)
    return attribute_of(thing, name)


def _holds_code(thing: object) -> bool:
    """True where the rest of a name may name nested code."""
    return not is_a(thing, type) and leads_to_python(thing)


def _item(module_name: str, steps: Sequence[Step], index: int, thing: object) -> object:
    """An item of an exact list, tuple or dict; a subclass may run code to find it."""
    step = steps[index]
    owner = f"{module_name}:{_written(steps[:index])}"
    if type(thing) is list or type(thing) is tuple:
        return _item_of_sequence(owner, step, thing)
    if type(thing) is not dict:
        raise TargetError(
            f"{owner} is not asked for its items",
            expected="a list, a tuple or a dict",
            found=type_name_of(thing),
        )
    for known, value in list(dict.items(thing)):
        if type(known) is type(step.key) and known == step.key:
            return value
    raise _no_key(owner, step.key, thing)


def _item_of_sequence(owner: str, step: Step, held: Sequence[object]) -> object:
    if type(step.key) is not int:
        raise TargetNotFound(f"an item of {owner} has a number", found=step.text)
    if not -len(held) <= step.key < len(held):
        raise TargetNotFound(f"{owner} has no item {step.key}", found=f"{len(held)} items")
    return held[step.key]


def _no_key(owner: str, key: object, held: dict[object, object]) -> TargetNotFound:
    """The error for a missing key: it names similar keys, or else the first ones."""
    texts = [each for each in held if type(each) is str]
    close = _similar(key, texts) if type(key) is str else []
    shown = [f"{owner}[{each!r}]" for each in close]
    known = f"It has {', '.join(map(repr, texts[:_SHOWN]))}." if texts else None
    return TargetNotFound(
        f"{owner} has no key {key!r}",
        hint=f"Did you mean {' or '.join(shown)}?" if shown else known,
    )


def import_module(name: str) -> ModuleType:
    """Import by dotted name, with the current directory first on the path as `python -m` has it.

    Raises:
        TargetNotFound: There is no such module, or the name is that of a file.
        ImportFailed: It raised, or tried to leave the interpreter.
    """
    refuse_files(name)
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
    cause = f"{type(error).__name__}: {shortened(text, 200)}" if text else type(error).__name__
    line, file = _raised_in(error)
    return ImportFailed(f"importing {name} raised {cause}", file=file, line=line)


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


def _module_attribute(module: ModuleType, name: str) -> object:
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


def _no_attribute(
    module_name: str, steps: Sequence[Step], index: int, thing: object
) -> TargetError:
    before = _written(steps[:index])
    owner = f"{module_name}:{before}" if before else module_name
    close = _similar(str(steps[index].name), names_in(thing))
    shown = [f"{module_name}:{before}{'.' if before else ''}{name}" for name in close]
    return TargetNotFound(
        f"{owner} has no attribute {steps[index].name!r}",
        hint=f"Did you mean {' or '.join(shown)}?"
        if shown
        else f"'coscope show {owner}' lists what it has.",
    )


def spec_of(name: str) -> ModuleSpec | None:
    """The spec of a module by its whole name, found without importing its packages."""
    locations = None
    spec = None
    parts = name.split(".")
    for count in range(1, len(parts) + 1):
        if not parts[count - 1].isidentifier():
            return None
        spec = _spec(".".join(parts[:count]), locations)
        if spec is None:
            return None
        locations = spec.submodule_search_locations
        if locations is None and count < len(parts):
            return None
    return spec


def split_dotted(name: str) -> tuple[str, str]:
    """The longest beginning of a dotted name that is a module, and the rest. Nothing is imported.

    Raises:
        TargetNotFound: It is no dotted name, or not even its first part is a module.

    >>> split_dotted("json.encoder.JSONEncoder.encode")
    ('json.encoder', 'JSONEncoder.encode')
    """
    names = [step.name for step in steps_of(name)] if name else []
    heads = list(takewhile(lambda part: part is not None and part.isidentifier(), names))
    if not heads:
        raise TargetNotFound(f"{name!r} is no file, and not of the form module:name", hint=HINT)
    found = 0
    locations = None
    while found < len(heads):
        spec = _spec(".".join(map(str, heads[: found + 1])), locations)
        if spec is None:
            break
        found += 1
        locations = spec.submodule_search_locations
        if locations is None:
            break
    if found == 0:
        raise TargetNotFound(
            f"{name!r} is no file, and not of the form module:name",
            hint=f"Name a builtin as builtins:{name}."
            if hasattr(builtins, name)
            else f"There is no file and no module {heads[0]!r}. Check the name, or give a path.",
        )
    module = ".".join(map(str, heads[:found]))
    return module, name[len(module) :].removeprefix(".")


def check_unambiguous(module_name: str, rest: str) -> None:
    """Refuse a dotted name that means one thing as a module and another one as an attribute.

    The module is imported already: `pkg.run` may be the module pkg/run.py, and a function `run`
    that pkg/__init__.py took from it.

    Raises:
        TargetError: It may mean both.
    """
    package, _, name = module_name.rpartition(".")
    holder = sys.modules.get(package)
    if not package or not is_a(holder, ModuleType):
        return
    held = dict.get(member(ModuleType, "__dict__", holder), name, MISSING)
    if held is MISSING or is_a(held, ModuleType):
        return
    tail = f".{rest}" if rest else ""
    raise TargetError(
        f"{module_name} is a module and an attribute of {package}",
        found=f"the module, and {text_of(held)}",
        hint=f"Write {module_name}:{rest or 'NAME'}, or {package}:{name}{tail}.",
    )


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
