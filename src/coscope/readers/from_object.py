"""Any live object -> the Python function behind it, and the steps that led there.

Wrappers are followed by their C-level members, so that no code of the object runs.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from types import (
    AsyncGeneratorType,
    BuiltinFunctionType,
    ClassMethodDescriptorType,
    CodeType,
    CoroutineType,
    FrameType,
    FunctionType,
    GeneratorType,
    MethodDescriptorType,
    MethodType,
    MethodWrapperType,
    ModuleType,
    TracebackType,
    WrapperDescriptorType,
)
from typing import Any, NamedTuple

from coscope.errors import NoCodeObject, TargetError
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
from coscope.readers.from_function import from_code_object, from_function, source_that_ran
from coscope.readers.values import exact_text, name_of_class, text_of, type_name_of

_LONGEST_CHAIN = 1000  # steps; CPython's recursion limit would stop a call earlier

_DISPATCHING = "singledispatchmethod."  # of the functions that it gives, up to 3.13
_DISPATCHER = getattr(functools, "_singledispatchmethod_get", None)  # of what it gives from 3.14 on

_LRU_WRAPPER = type(functools.lru_cache(len))
_C_CALLABLES = (
    BuiltinFunctionType,
    MethodDescriptorType,
    WrapperDescriptorType,
    MethodWrapperType,
    ClassMethodDescriptorType,
)


class Step(NamedTuple):
    """One step from an object towards its function."""

    thing: Any
    via: str  # "functools.partial.func"
    warning: str | None = None


def from_object(thing: object, *, unwrap: bool = False) -> Function:
    """Read the function behind a live object.

    Args:
        thing: Function, method, class, partial, property, generator, frame, module, ...
        unwrap: Follow `__wrapped__` of Python functions too. That of an `lru_cache`, which has
            no code of its own, is followed always.

    Raises:
        NoCodeObject: Nothing of it is written in Python.
        TargetError: The wrappers form a circle, or a module's file cannot be read.
    """
    via: list[str] = []
    warnings: list[str] = []
    start = thing
    seen: set[int] = set()
    while True:
        step = _next_step(thing, unwrap)
        if step is None:
            return _arrived(thing, start, tuple(via), tuple(warnings), unwrap)
        seen.add(id(thing))
        if id(step.thing) in seen or len(via) == _LONGEST_CHAIN:
            raise TargetError(
                f"the wrappers of {text_of(start)} form a circle", found=" -> ".join(via[-4:])
            )
        via.append(step.via)
        if step.warning:
            warnings.append(step.warning)
        thing = step.thing


def _arrived(
    thing: object, start: object, via: tuple[str, ...], warnings: tuple[str, ...], unwrap: bool
) -> Function:
    """The function, once no step leads on."""
    if type(thing) is FunctionType:
        if not unwrap:
            warnings = (*warnings, *_stand_in(thing, start))
        return from_function(thing, via=via, warnings=warnings)
    if type(thing) is CodeType:
        return _bare(thing, via, warnings)
    raise _no_code_object(thing, start, via)


def _stand_in(function: FunctionType, start: object) -> Iterator[str]:
    """Say that a library's code replaces a function of the user's, and what shows that one."""
    held = dict.get(function.__dict__, "__wrapped__", MISSING)
    if held is MISSING:
        held = _held_function(start)
    if type(held) is not FunctionType:
        return
    package = _package_of(function)
    if package is not None and package != _package_of(held):
        yield (
            f"code of {package}, which stands for {exact_text(held.__qualname__)}; "
            "--unwrap shows that function"
        )


# Attributes under which objects of libraries hold the function that they were made from: click,
# discord.py, prefect, numba, pytest.
_HOLDERS = ("callback", "_callback", "fn", "py_func", "_fixture_function", "func", "function")


def _held_function(thing: object) -> object:
    """The function that an object of a library was made from; else MISSING."""
    if is_a(thing, FunctionType) or is_a(thing, type) or is_a(thing, ModuleType):
        return MISSING
    for name in _HOLDERS:
        value = instance_attribute(thing, name)
        if type(value) is FunctionType:
            return value
    return MISSING


def _package_of(function: FunctionType) -> str | None:
    name = dict.get(function.__globals__, "__name__")
    return name.partition(".")[0] if type(name) is str else None


def _bare(co: CodeType, via: tuple[str, ...], warnings: tuple[str, ...]) -> Function:
    """A code object alone: no defaults, cells or globals are known."""
    code = from_code_object(co)
    source, doubts = source_that_ran(code)
    return Function(
        code=code,
        name=code.name,
        qualname=code.qualname,
        module=None,
        origin="live",
        live=False,
        source=source,
        via=via,
        warnings=(*warnings, *doubts),
    )


def _next_step(thing: object, unwrap: bool) -> Step | None:
    """One step on, or None at a function, a code object or a dead end."""
    kind = type(thing)
    if kind is CodeType:
        return None
    if kind is FunctionType:
        step = _step_of_functools(thing)  # type: ignore[arg-type]  # mypy does not follow `kind`
        if step is not None:
            return step
        wrapped = dict.get(thing.__dict__, "__wrapped__", MISSING) if unwrap else MISSING
        return None if wrapped is MISSING else Step(wrapped, "__wrapped__")
    for cls, follow in _FOLLOWED:
        if is_a(thing, cls):
            return follow(thing)
    return _step_of_instance(thing, unwrap)


def _along(cls: type, name: str, shown: str | None = None) -> Callable[[object], Step | None]:
    """Follow a C-level member of a built-in class."""
    via = shown or f"{name_of_class(cls)}.{name}"

    def follow(thing: object) -> Step | None:
        value = member(cls, name, thing)
        return None if value is MISSING or value is None else Step(value, via)

    return follow


def _along_own(name: str, shown: str) -> Callable[[object], Step | None]:
    """Follow an attribute that the instance holds in its dictionary or slots."""

    def follow(thing: object) -> Step | None:
        value = instance_attribute(thing, name)
        return None if value is MISSING else Step(value, f"{shown}.{name}")

    return follow


def _step_of_functools(function: FunctionType) -> Step | None:
    """What `partialmethod` and `singledispatchmethod` give through a class: functions of functools.

    Source:
        CPython 3.11 to 3.15, Lib/functools.py, `__get__` of both.
    """
    if function.__globals__ is not vars(functools):
        return None
    for name in ("__partialmethod__", "_partialmethod"):
        method = dict.get(function.__dict__, name, MISSING)
        if type(method) is functools.partialmethod:
            return Step(method, "functools.partialmethod")
    wrapped = dict.get(function.__dict__, "__wrapped__", MISSING)
    if wrapped is MISSING or not exact_text(function.__code__.co_qualname).startswith(_DISPATCHING):
        return None
    return Step(wrapped, "functools.singledispatchmethod.func")


def _step_of_property(thing: object) -> Step | None:
    for name in ("fget", "fset", "fdel"):
        function = member(property, name, thing)
        if function is not None and function is not MISSING:
            return Step(function, f"property.{name}")
    return None


def _step_of_frame(thing: FrameType) -> Step:
    return Step(thing.f_code, "frame.f_code")


def _step_of_traceback(thing: TracebackType) -> Step:
    while thing.tb_next is not None:
        thing = thing.tb_next
    return Step(thing.tb_frame.f_code, "traceback, innermost frame.f_code")


def _step_of_class(cls: Any) -> Step | None:
    """The constructor: `__init__`, else `__new__`, if it is written in Python."""
    name = name_of_class(cls)
    call = class_attribute(type(cls), "__call__")
    warning = None
    if type(call) is FunctionType:
        warning = f"calling {name} runs {exact_text(call.__qualname__)} of its metaclass first"
    for constructor in ("__init__", "__new__"):
        for base in mro_of(cls):
            value = namespace_of(base).get(constructor, MISSING)
            if value is MISSING:
                continue
            if leads_to_python(value):
                owner = "" if base is cls else f" (of {name_of_class(base)})"
                return Step(value, f"constructor {name}.{constructor}{owner}", warning)
            break
    return None


def _step_of_instance(thing: object, unwrap: bool) -> Step | None:
    """An instance: what calling it runs, else what it says it wraps."""
    if _is_c_callable(thing):
        return None
    wrapped = instance_attribute(thing, "__wrapped__")
    call = class_attribute(type(thing), "__call__")
    runs_python = call is not MISSING and not _is_c_callable(call)
    name = type_name_of(thing)
    if wrapped is not MISSING and (unwrap or not runs_python):
        return Step(wrapped, f"{name}.__wrapped__")
    held = _held_function(thing) if unwrap or not runs_python else MISSING
    if held is not MISSING:
        return Step(held, f"the function that {name} holds")
    return Step(call, f"{name}.__call__") if runs_python else None


def _is_c_callable(thing: object) -> bool:
    return any(type(thing) is kind for kind in _C_CALLABLES)


def leads_to_python(thing: object) -> bool:
    """True if the steps from here end at a function."""
    for _ in range(_LONGEST_CHAIN):
        if type(thing) is FunctionType:
            return True
        if is_a(thing, type):
            return False
        step = _next_step(thing, unwrap=False)
        if step is None:
            return False
        thing = step.thing
    return False


# Tried in this order. A subclass of these is followed as its base is.
_FOLLOWED: tuple[tuple[type, Callable[[Any], Step | None]], ...] = (
    (MethodType, _along(MethodType, "__func__", "bound method.__func__")),
    (type, _step_of_class),
    (staticmethod, _along(staticmethod, "__func__")),
    (classmethod, _along(classmethod, "__func__")),
    (property, _step_of_property),
    (functools.partial, _along(functools.partial, "func")),
    (functools.partialmethod, _along_own("func", "functools.partialmethod")),
    (functools.cached_property, _along_own("func", "functools.cached_property")),
    (functools.singledispatchmethod, _along_own("func", "functools.singledispatchmethod")),
    (_LRU_WRAPPER, _along_own("__wrapped__", "functools.lru_cache")),
    (GeneratorType, _along(GeneratorType, "gi_code", "generator.gi_code")),
    (CoroutineType, _along(CoroutineType, "cr_code", "coroutine.cr_code")),
    (AsyncGeneratorType, _along(AsyncGeneratorType, "ag_code", "async generator.ag_code")),
    (FrameType, _step_of_frame),
    (TracebackType, _step_of_traceback),
    *(
        [(_DISPATCHER, _along_own("_unbound", "functools.singledispatchmethod"))]
        if _DISPATCHER is not None
        else []
    ),
)


def module_file(module: ModuleType) -> str:
    """The file that a module was loaded from.

    Raises:
        NoCodeObject: It is built in, frozen, or a namespace package.
    """
    file = dict.get(member(ModuleType, "__dict__", module), "__file__")
    if type(file) is not str:
        raise _no_code_object(module, module, ())
    return file


def _no_code_object(thing: Any, start: object, via: tuple[str, ...]) -> NoCodeObject:
    """What to say of an object without bytecode: its signature and doc, or a class's functions."""
    shown = text_of(start)
    reached = f" (through {', '.join(via)}: {text_of(thing)})" if via else ""
    if is_a(thing, type):
        return _no_constructor(thing, reached)
    error = NoCodeObject(f"{shown} has no code object{reached}", found=_sort_of(thing))
    if is_a(thing, ModuleType):
        error.hint = "It was not loaded from a file."
        return error
    signature, doc = _signature_of(thing), _doc_of(thing)
    error.signature, error.doc = signature, doc
    known = [f"Signature: {signature}." if signature else "", f"Doc: {doc}" if doc else ""]
    error.hint = " ".join(filter(None, known)) or None
    return error


def _no_constructor(cls: type, reached: str) -> NoCodeObject:
    functions = tuple(_functions_of(cls))
    error = NoCodeObject(
        f"the constructor of {text_of(cls)} has no code object{reached}",
        found="__init__ and __new__ that are not written in Python",
    )
    error.functions = functions
    error.doc = _doc_of(cls)
    if functions:
        error.hint = f"Its Python functions: {', '.join(functions)}."
    else:
        error.hint = "It has no Python functions."
    return error


def _functions_of(cls: type) -> Iterator[str]:
    """Names of a class's own attributes that lead to Python functions."""
    for name, value in list(namespace_of(cls).items()):
        if type(name) is str and leads_to_python(value):
            yield name


def _sort_of(thing: object) -> str:
    if _is_c_callable(thing) or type(thing) is _LRU_WRAPPER:
        return f"a function written in C ({type_name_of(thing)})"
    return f"an object of type {type_name_of(thing)}"


def _signature_of(thing: Any) -> str | None:
    """`len(obj, /)`, from what C code says about itself."""
    if not _is_c_callable(thing):
        return None
    text = thing.__text_signature__
    if type(text) is not str:
        return None
    for implicit in ("($module, ", "($self, ", "($type, "):
        if text.startswith(implicit):
            text = f"({text[len(implicit) :]}"
    for implicit in ("($module)", "($self)", "($type)", "(/, ", "(/)"):
        if text.startswith(implicit):
            text = f"({text[len(implicit) :]}" if implicit.endswith(" ") else "()"
    return f"{thing.__name__}{text}"


def _doc_of(thing: Any) -> str | None:
    """First line of the documentation that C code or a class dictionary holds."""
    if is_a(thing, type):
        doc = namespace_of(thing).get("__doc__")
    elif _is_c_callable(thing):
        doc = thing.__doc__
    else:
        doc = instance_attribute(thing, "__doc__")
    if type(doc) is not str or not doc.strip():
        return None
    return doc.strip().splitlines()[0]
