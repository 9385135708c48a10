"""From any callable to the Python function that its call reaches, and what is added on the way.

Nothing is called: wrappers, bound objects and constructors are followed by their C-level members,
as CPython's own call does.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from types import (
    BuiltinFunctionType,
    FunctionType,
    MethodType,
    ModuleType,
    WrapperDescriptorType,
)
from typing import Any

from coscope.errors import NoCodeObject, TargetError
from coscope.facts.calls.parameters import Arguments, BindingStep, Given, Stage, fill
from coscope.facts.calls.wording import abstract
from coscope.model import Value
from coscope.opcodes import table
from coscope.readers.attributes import (
    MISSING,
    class_attribute,
    is_a,
    member,
    namespace_of,
)
from coscope.readers.from_function import HOST_VERSION, from_function
from coscope.readers.from_object import from_object
from coscope.readers.values import exact_text, name_of_class, text_of, type_name_of, value_of

_LONGEST_CHAIN = 1000  # wrappers; CPython's recursion limit would stop a call earlier

_LRU_WRAPPER = type(functools.lru_cache(len))
_PLACEHOLDER = getattr(functools, "Placeholder", MISSING)  # 3.14
_BINDING_PARTIALS = _PLACEHOLDER is not MISSING  # 3.14: one in a class gets self, as functions do
_IS_ABSTRACT = 1 << 20  # Py_TPFLAGS_IS_ABSTRACT

_flags_of = type.__dict__["__flags__"].__get__
_abstract_methods_of = type.__dict__["__abstractmethods__"].__get__
_name_of = type.__dict__["__name__"].__get__


@dataclass(slots=True)
class Reached:
    """What a call reaches: wrappers on the way, then functions, then an error or none."""

    steps: list[BindingStep] = field(default_factory=list)  # in order, those of stages included
    stages: list[Stage] = field(default_factory=list)
    error: str | None = None  # CPython's message of the TypeError

    def through(self, text: str) -> None:
        self.steps.append(BindingStep("through", text))

    def note(self, text: str) -> None:
        self.steps.append(BindingStep("note", text))

    def fail(self, message: str) -> None:
        self.error = message
        self.steps.append(BindingStep("error", f"TypeError: {message}"))

    def enter(self, stage: Stage) -> None:
        self.stages.append(stage)
        self.steps += stage.steps
        self.error = stage.error
        if stage.error is None:
            text = f"{stage.function.qualname} is entered with these slots"
            self.steps.append(BindingStep("enter", text))


def reach(thing: object, arguments: Arguments) -> Reached:
    """Follow a call of an object to the functions that it reaches.

    Raises:
        NoCodeObject: It ends in C code, of which no more is known.
        TargetError: Wrappers form a circle, or only running code can tell what is called.
    """
    reached = Reached()
    start = thing
    for _ in range(_LONGEST_CHAIN):
        if type(thing) is FunctionType:
            reached.enter(fill(from_function(thing), arguments))
            return reached
        call = class_attribute(type(thing), "__call__")
        if call is MISSING:
            reached.fail(_not_callable(thing))
            return reached
        if call is namespace_of(type)["__call__"] and is_a(thing, type):
            _construct(reached, thing, arguments)
            return reached
        follow = _follower(call)
        if follow is None:
            thing, arguments = _instance(reached, thing, call, arguments)
            continue
        followed = follow(reached, thing, arguments)
        if followed is None:
            return reached
        thing, arguments = followed
    raise TargetError(f"the wrappers of {text_of(start)} form a circle")


def _not_callable(thing: Any) -> str:
    """CPython's own words. To call what has no `tp_call` runs nothing, but raises them.

    A module is asked for the function that may have been meant, so one with a `__getattr__` is
    left alone.
    """
    asks = type(thing) is ModuleType and "__getattr__" in member(ModuleType, "__dict__", thing)
    if not callable(thing) and not asks:
        try:
            thing()
        except TypeError as error:
            return str(error)
    return f"'{_name_of(type(thing))}' object is not callable"


# What hands a call on: the object that follows and its arguments; None: the call has failed.
_Follow = Callable[[Reached, object, Arguments], "tuple[Any, Arguments] | None"]


def _follower(call: object) -> _Follow | None:
    """How the class that defines this C-level `__call__` hands a call on."""
    for cls, follow in _FOLLOWED:
        if namespace_of(cls).get("__call__") is call:
            return follow
    return None


def _bound(reached: Reached, method: object, arguments: Arguments) -> tuple[object, Arguments]:
    function = member(MethodType, "__func__", method)
    held = member(MethodType, "__self__", method)
    name = _called(function)
    reached.through(f"bound method: {text_of(held)} goes before the arguments of {name}")
    return function, _before(arguments, Given(value_of(held), "the bound object"))


def _partial(
    reached: Reached, partial: object, arguments: Arguments
) -> tuple[object, Arguments] | None:
    function = member(functools.partial, "func", partial)
    held = member(functools.partial, "args", partial)
    keywords = member(functools.partial, "keywords", partial)
    given = list(arguments.positional)
    positional = []
    empty = sum(value is _PLACEHOLDER for value in held)
    if len(given) < empty:
        reached.fail(
            "missing positional arguments in 'partial' call; "
            f"expected at least {empty}, got {len(given)}"
        )
        return None
    for index, value in enumerate(held):
        if value is _PLACEHOLDER:
            positional.append(given.pop(0))
        else:
            positional.append(Given(value_of(value), f"argument {index + 1} of the partial"))
    named: dict[object, Given] = {
        _key(key): Given(value_of(value), f"keyword {text_of(key)} of the partial")
        for key, value in dict.items(keywords)
    }
    replaced = [_key(key) for key, _ in arguments.keywords if _key(key) in named]
    named.update((_key(key), value) for key, value in arguments.keywords)
    added = [text_of(value) for value in held if value is not _PLACEHOLDER]
    added += [f"{key}={text_of(value)}" for key, value in dict.items(keywords)]
    text = f"functools.partial adds {', '.join(added) or 'nothing'} to the call of "
    text += _called(function)
    if replaced:
        text += f"; the call's own {', '.join(map(str, replaced))} replaces what it holds"
    reached.through(text)
    return function, Arguments((*positional, *given), tuple(named.items()))


def _key(key: Any) -> object:
    """A keyword that can be looked up without a user's `__eq__` or `__hash__`."""
    return exact_text(key) if is_a(key, str) else id(key)


def _cached(reached: Reached, wrapper: object, arguments: Arguments) -> tuple[object, Arguments]:
    function = from_object(wrapper).object
    reached.through(
        f"functools.lru_cache hashes the arguments and, if it holds no result, calls "
        f"{_called(function)} with them"
    )
    return function, arguments


def _static(reached: Reached, thing: object, arguments: Arguments) -> tuple[object, Arguments]:
    function = member(staticmethod, "__func__", thing)
    reached.through(f"staticmethod: the call goes to {_called(function)} as it is")
    return function, arguments


_FOLLOWED: tuple[tuple[type, _Follow], ...] = (
    (MethodType, _bound),
    (functools.partial, _partial),
    (_LRU_WRAPPER, _cached),
    (staticmethod, _static),
)


def _instance(
    reached: Reached, thing: object, call: object, arguments: Arguments
) -> tuple[object, Arguments]:
    """An instance whose class, or a class whose metaclass, defines `__call__`."""
    name = type_name_of(thing)
    if type(call) is FunctionType:
        if is_a(thing, type):
            reached.through(
                f"{_called(call)} of the metaclass is called; whether it calls the constructor "
                "is up to its code"
            )
        else:
            reached.through(f"calling an instance of {name} calls {_called(call)} with it as self")
        return call, _before(arguments, Given(value_of(thing), "the called object"))
    if type(call) is staticmethod:
        reached.through(f"{name}.__call__ is a staticmethod: no self goes before the arguments")
        return member(staticmethod, "__func__", call), arguments
    if type(call) is classmethod:
        reached.through(f"{name}.__call__ is a classmethod: the class goes before the arguments")
        function = member(classmethod, "__func__", call)
        return function, _before(arguments, Given(value_of(type(thing)), "the class"))
    if is_a(call, functools.partial):
        added = "self goes before the arguments" if _BINDING_PARTIALS else "no self is added"
        reached.through(f"{name}.__call__ is a functools.partial: {added}")
        held = Given(value_of(thing), "the called object")
        return call, _before(arguments, held) if _BINDING_PARTIALS else arguments
    if type(call) in (WrapperDescriptorType, BuiltinFunctionType):
        raise _in_c(thing)
    if type(call) is MethodType or class_attribute(type(call), "__get__") is MISSING:
        reached.through(f"{name}.__call__ is {text_of(call)}: no self is added")
        return call, arguments
    raise TargetError(
        f"what calling {text_of(thing)} calls is known only to {type_name_of(call)}.__get__",
        hint="Name the function itself.",
    )


def _in_c(thing: object) -> NoCodeObject:
    try:
        from_object(thing)
    except NoCodeObject as error:
        return error
    return NoCodeObject(f"{text_of(thing)} has no code object")


def _construct(reached: Reached, cls: Any, arguments: Arguments) -> None:
    """`type.__call__`: `__new__`, then `__init__` of what it made.

    Source:
        CPython 3.13.0, Objects/typeobject.c, type_call, object_new, object_init.
    """
    name = name_of_class(cls)
    new, init = class_attribute(cls, "__new__"), class_attribute(cls, "__init__")
    new = member(staticmethod, "__func__", new) if type(new) is staticmethod else new
    python_new = type(new) is FunctionType
    plain_new = new is namespace_of(object)["__new__"]
    plain_init = init is namespace_of(object)["__init__"]
    if not python_new and not plain_new and type(init) is not FunctionType:
        raise _in_c(cls)
    if python_new:
        reached.through(f"calling {name} calls its __new__ with the class before the arguments")
        stage = fill(from_function(new), _before(arguments, Given(value_of(cls), "the class")))
        reached.enter(stage)
        if reached.error is not None:
            return
    elif plain_new:
        _object_new(reached, cls, arguments, plain_init)
        if reached.error is not None:
            return
    else:
        reached.note(f"{name}.__new__ is written in C: it may refuse the arguments")
    if plain_init:
        return
    if type(init) is not FunctionType:
        reached.note(f"{name}.__init__ is not a Python function: what it takes is not known")
        return
    when = ", if __new__ returned an instance of the class" if python_new else ""
    reached.through(f"then its __init__ with the new instance before the arguments{when}")
    instance = Given(Value(name, f"<new {name}>", 0), "the new instance")
    reached.enter(fill(from_function(init), _before(arguments, instance)))


def _object_new(reached: Reached, cls: Any, arguments: Arguments, plain_init: bool) -> None:
    """`object.__new__`, which refuses arguments that nobody would take, and abstract classes."""
    name = _name_of(cls)
    if plain_init and (arguments.positional or arguments.keywords):
        reached.fail(f"{name}() takes no arguments")
        return
    reached.through(f"calling {name_of_class(cls)} makes an instance by object.__new__")
    if not _flags_of(cls) & _IS_ABSTRACT:
        return
    methods = _abstract_methods_of(cls)
    if type(methods) is frozenset and all(type(method) is str for method in methods):
        reached.fail(abstract(name, sorted(methods), table(HOST_VERSION).wording))
    else:
        reached.note(f"{name} is abstract")


def _before(arguments: Arguments, given: Given) -> Arguments:
    return replace(arguments, positional=(given, *arguments.positional))


def _called(function: object) -> str:
    if type(function) is FunctionType:
        return exact_text(function.__qualname__)
    return text_of(function)
