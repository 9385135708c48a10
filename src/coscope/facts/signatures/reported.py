"""The reported signature: what `inspect.signature` answers. Nobody's code runs to find it."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Sequence
from dataclasses import dataclass, replace
from types import (
    BuiltinFunctionType,
    ClassMethodDescriptorType,
    CodeType,
    FunctionType,
    MethodDescriptorType,
    MethodType,
    MethodWrapperType,
    WrapperDescriptorType,
)
from typing import Any

from coscope.facts.calls.attributes import Accessed
from coscope.facts.calls.dispatching import is_got
from coscope.facts.signatures.shapes import (
    KEYWORD_ONLY,
    KEYWORDS,
    POSITIONAL,
    POSITIONAL_ONLY,
    REST,
    Parameter,
    Shape,
    of_code,
    of_live,
    of_signature,
    of_text,
    refusal,
    without_first,
)
from coscope.readers.attributes import (
    MISSING,
    class_attribute,
    instance_attribute,
    is_a,
    member,
    mro_of,
    namespace_of,
)
from coscope.readers.values import exact_text, name_of_class, text_of, type_name_of, value_of

_DEEPEST = 200  # wrappers
_PLACEHOLDER = getattr(functools, "Placeholder", MISSING)  # 3.14
_NOT_USERS = (
    WrapperDescriptorType,
    MethodWrapperType,
    ClassMethodDescriptorType,
    BuiltinFunctionType,
)
C_CALLABLES = (*_NOT_USERS, MethodDescriptorType)
_text_of_class = type.__dict__["__text_signature__"].__get__


@dataclass(frozen=True, slots=True)
class Reported:
    """The answer of `inspect.signature`, and where it comes from."""

    shape: Shape | None
    sources: tuple[str, ...]  # the steps to it: "__wrapped__", "__signature__", ...
    problem: str | None = None  # why there is none: it raises, or would have to run code


class UnreportedError(Exception):
    """There is no signature to report; the words say why."""


def reported(thing: object) -> Reported:
    """What `inspect.signature` says of a callable.

    Where it would run somebody's code (a property, `__getattr__`, a `__signature__` that is
    computed), that code is named instead, and the answer is left open.

    Source:
        CPython 3.13.0, Lib/inspect.py, _signature_from_callable.

    >>> reported(functools.partial(pow, 2)).shape.text
    '(exp, mod=None)'
    """
    sources: list[str] = []
    try:
        return Reported(_shape(thing, sources, _DEEPEST), tuple(sources))
    except UnreportedError as reason:
        return Reported(None, tuple(sources), str(reason))


def _shape(thing: Any, sources: list[str], depth: int) -> Shape:
    if not depth:
        raise UnreportedError("wrapper loop when unwrapping")
    if type(thing) is Accessed:
        raise UnreportedError(f"{type_name_of(thing.descriptor)}.__get__ would have to run")
    if is_got(thing):
        return _of_dispatch(thing, sources, depth)
    if class_attribute(type(thing), "__call__") is MISSING:
        raise UnreportedError(f"{text_of(thing)} is not a callable object")
    if is_a(thing, MethodType):
        sources.append("bound method")
        return _bound(_shape(member(MethodType, "__func__", thing), sources, depth - 1))
    thing = _unwrapped(thing, sources, depth)
    if is_a(thing, MethodType):
        return _shape(thing, sources, depth - 1)
    declared = _looked_up(thing, "__signature__")
    if declared is not MISSING and declared is not None:
        return _declared(thing, declared, sources)
    return _of_own(thing, sources, depth)


def _of_own(thing: Any, sources: list[str], depth: int) -> Shape:
    """The signature of what neither wraps another callable nor declares a signature."""
    if type(thing) is FunctionType:
        return _of_function(thing, sources, depth)
    if is_a(thing, functools.partial):
        sources.append("functools.partial")
        inner = _shape(member(functools.partial, "func", thing), sources, depth - 1)
        held = member(functools.partial, "args", thing)
        return partially(inner, held, member(functools.partial, "keywords", thing))
    if is_a(thing, type):
        return _of_class(thing, sources, depth)
    if any(type(thing) is kind for kind in C_CALLABLES):
        return _of_builtin(thing, sources)
    return _of_instance(thing, sources, depth)


def _of_dispatch(thing: object, sources: list[str], depth: int) -> Shape:
    """What a singledispatchmethod gives: `inspect` follows its `__wrapped__`, `self` and all."""
    sources.append("__wrapped__ of functools.singledispatchmethod")
    method = instance_attribute(thing, "_unbound")
    return _shape(instance_attribute(method, "func"), sources, depth - 1)


def _bound(shape: Shape) -> Shape:
    left = without_first(shape)
    if left is None:
        raise UnreportedError("invalid method signature")
    return left


def _unwrapped(thing: object, sources: list[str], depth: int) -> object:
    """Follow `__wrapped__` until something declares a signature."""
    seen: list[object] = []
    for _ in range(depth):
        if is_a(thing, type) or is_a(thing, MethodType):
            return thing
        if any(thing is each for each in seen):
            break
        seen.append(thing)
        if _looked_up(thing, "__signature__") is not MISSING:
            return thing
        wrapped = _looked_up(thing, "__wrapped__")
        if wrapped is MISSING:
            return thing
        sources.append(f"__wrapped__ of {name_of(thing)}")
        thing = wrapped
    raise UnreportedError("wrapper loop when unwrapping")


def name_of(thing: Any) -> str:
    """A callable by its qualified name, or as a short text."""
    if is_got(thing):
        return name_of(instance_attribute(instance_attribute(thing, "_unbound"), "func"))
    if type(thing) is Accessed:
        return f"what {type_name_of(thing.descriptor)}.__get__ gives"
    if type(thing) is FunctionType:
        return exact_text(thing.__qualname__)
    if is_a(thing, type):
        return name_of_class(thing)
    if is_a(thing, MethodType):
        return name_of(member(MethodType, "__func__", thing))
    if type(thing) is WrapperDescriptorType or type(thing) is MethodDescriptorType:
        return f"{name_of_class(thing.__objclass__)}.{thing.__name__}"
    if type(thing) is BuiltinFunctionType:
        return exact_text(thing.__name__)
    return text_of(thing)


def _looked_up(thing: Any, name: str) -> object:
    """What `thing.name` gives where no code need run for it; else MISSING, or `UnreportedError`."""
    if type(thing) is FunctionType:
        return dict.get(thing.__dict__, name, MISSING)
    if any(type(thing) is kind for kind in C_CALLABLES):
        return MISSING
    kind = type(thing)
    if is_a(thing, type):
        value = class_attribute(kind, name)
        if value is not MISSING and class_attribute(type(value), "__get__") is not MISSING:
            raise UnreportedError(f"{name} is computed by {type_name_of(value)} of the metaclass")
        value = class_attribute(thing, name)
        if value is MISSING and type(class_attribute(kind, "__getattr__")) is FunctionType:
            raise UnreportedError(f"{name} would be asked of __getattr__ of the metaclass")
        return _plain(value, name)
    value = instance_attribute(thing, name)
    return _looked_up_in_class(kind, name) if value is MISSING else value


def _looked_up_in_class(kind: type, name: str) -> object:
    """The same for an instance that does not hold the attribute itself."""
    value = class_attribute(kind, name)
    asks = ("__getattr__", "__getattribute__")
    if value is MISSING and any(type(class_attribute(kind, each)) is FunctionType for each in asks):
        raise UnreportedError(f"{name} would be asked of {name_of_class(kind)}.__getattr__")
    return _plain(value, name)


def _plain(value: object, name: str) -> object:
    """The value, unless a descriptor would compute it."""
    if value is MISSING or class_attribute(type(value), "__get__") is MISSING:
        return value
    if type(value) is FunctionType or type(value) is staticmethod or type(value) is classmethod:
        return value
    raise UnreportedError(f"{name} is computed by a descriptor of type {type_name_of(value)}")


def _declared(thing: object, signature: Any, sources: list[str]) -> Shape:
    """`__signature__`, if it is what it should be."""
    sources.append(f"__signature__ of {name_of(thing)}")
    if is_a(signature, inspect.Signature):
        shape = of_signature(signature)
    elif is_a(signature, str):
        shape = of_text(str.__str__(signature))
    elif class_attribute(type(signature), "__call__") is not MISSING or is_a(
        signature, classmethod
    ):
        raise UnreportedError("__signature__ is computed by a function, which is not run")
    else:
        raise UnreportedError(f"unexpected object {text_of(signature)} in __signature__ attribute")
    if shape is None:
        raise UnreportedError("__signature__ cannot be read")
    return shape


def _of_function(function: FunctionType, sources: list[str], depth: int) -> Shape:
    for name in ("__partialmethod__", "_partialmethod"):
        held = dict.get(function.__dict__, name, MISSING)
        if held is not MISSING and is_a(held, functools.partialmethod):
            return _of_partialmethod(held, sources, depth)
    text = dict.get(function.__dict__, "__text_signature__")
    if type(text) is str and text:
        return _of_text(function, text, sources)
    sources.append(f"code of {name_of(function)}")
    return of_live(function)


def _of_partialmethod(method: object, sources: list[str], depth: int) -> Shape:
    """The first parameter stays; the rest is as of a partial that has been given one argument."""
    sources.append("functools.partialmethod")
    inner = _shape(instance_attribute(method, "func"), sources, depth - 1)
    held = instance_attribute(method, "args")
    left = partially(inner, (None, *held), instance_attribute(method, "keywords"))
    if not inner.parameters or inner.parameters[0].kind == REST:
        return left
    first = inner.parameters[0]
    if any(value is _PLACEHOLDER for value in held):
        first = replace(first, kind=POSITIONAL_ONLY)
    return Shape((first, *left.parameters))


def partially(shape: Shape, held: Sequence[object], keywords: dict[Any, object]) -> Shape:
    """The parameters that are left when a partial holds arguments.

    Source:
        CPython 3.14.2, Lib/inspect.py, _signature_get_partial.
    """
    names = [exact_text(name) for name in dict.keys(keywords)]
    optional = Shape(
        tuple(
            p if p.default or p.kind in (REST, KEYWORDS) else replace(p, default=value_of(None))
            for p in shape.parameters
        )
    )
    if refusal(optional, len(held), names) is not None:
        raise UnreportedError("the partial object has incorrect arguments")
    positional = shape.of_kind(POSITIONAL_ONLY, POSITIONAL)
    first = [
        replace(parameter, kind=POSITIONAL_ONLY, default=None)
        for parameter, value in zip(positional, held, strict=False)
        if value is _PLACEHOLDER
    ]
    filled = min(len(positional), len(held))
    return _left_by_keywords(first, shape.parameters[filled:], names, keywords)


def _left_by_keywords(
    first: list[Parameter],
    parameters: Sequence[Parameter],
    names: list[str],
    keywords: dict[Any, object],
) -> Shape:
    """What a partial's keywords leave of the parameters that its arguments did not fill."""
    last: list[Parameter] = []
    by_name = False  # from here on parameters can be given by name only
    for parameter in parameters:
        named = parameter.name in names and parameter.kind in (POSITIONAL, KEYWORD_ONLY)
        if named:
            parameter = replace(parameter, default=value_of(keywords[parameter.name]))
            by_name = by_name or parameter.kind == POSITIONAL
        if not by_name:
            first.append(parameter)
        elif parameter.kind == POSITIONAL:
            last.append(replace(parameter, kind=KEYWORD_ONLY))
        elif parameter.kind != REST:
            last.append(parameter)
    return Shape((*first, *last))


def _is_users(method: object) -> bool:
    """True if a method is written in Python, or made by something that is."""
    return not any(type(method) is kind for kind in _NOT_USERS)


def _of_class(cls: type, sources: list[str], depth: int) -> Shape:
    call = class_attribute(type(cls), "__call__")
    if _is_users(call):
        sources.append(f"__call__ of the metaclass {name_of_class(type(cls))}")
        return _of_method(call, sources, depth)
    new, init = class_attribute(cls, "__new__"), class_attribute(cls, "__init__")
    for base in mro_of(cls):
        own = namespace_of(base)
        if "__new__" in own and _is_users(new):
            sources.append(f"__new__ of {name_of_class(cls)}")
            new = member(staticmethod, "__func__", new) if type(new) is staticmethod else new
            return _bound(_shape(new, sources, depth - 1))
        if "__init__" in own and _is_users(init):
            sources.append(f"__init__ of {name_of_class(cls)}")
            return _of_method(init, sources, depth)
    return _of_c_class(cls, sources)


def _of_c_class(cls: type, sources: list[str]) -> Shape:
    for base in mro_of(cls)[:-1]:
        text = _text_of_class(base)
        if type(text) is str and text:
            return _of_text(base, text, sources)
    init, new = class_attribute(cls, "__init__"), class_attribute(cls, "__new__")
    plain = namespace_of(object)
    if init is plain["__init__"] and new is plain["__new__"]:
        sources.append("object takes no arguments")
        return Shape()
    raise UnreportedError(f"no signature found for {text_of(cls)}")


def _of_method(method: object, sources: list[str], depth: int) -> Shape:
    """What a class holds under `__call__` or `__init__`, bound."""
    if is_a(method, staticmethod):
        return _shape(member(staticmethod, "__func__", method), sources, depth - 1)
    if is_a(method, classmethod):
        return _bound(_shape(member(classmethod, "__func__", method), sources, depth - 1))
    if class_attribute(type(method), "__get__") is MISSING or is_a(method, MethodType):
        return _shape(method, sources, depth - 1)
    if type(method) is FunctionType or any(type(method) is kind for kind in C_CALLABLES):
        return _bound(_shape(method, sources, depth - 1))
    raise UnreportedError(f"{type_name_of(method)}.__get__ would have to run")


def _of_builtin(thing: Any, sources: list[str]) -> Shape:
    text = thing.__text_signature__
    if type(text) is not str or not text:
        raise UnreportedError(f"no signature found for builtin {text_of(thing)}")
    return _of_text(thing, text, sources)


def _of_text(thing: Any, text: str, sources: list[str]) -> Shape:
    sources.append(f"text signature of {name_of(thing)}")
    shape = of_text(text)
    if shape is None:
        raise UnreportedError(f"{text_of(thing)} builtin has invalid signature")
    bound = any(type(thing) is kind for kind in (BuiltinFunctionType, MethodWrapperType))
    if bound and "$" in text and thing.__self__ is not None:
        return _bound(shape)
    return shape


def _of_instance(thing: object, sources: list[str], depth: int) -> Shape:
    """A compiled function that looks like a Python one, or an instance with a `__call__`."""
    co = instance_attribute(thing, "__code__")
    if type(co) is CodeType:
        held = (
            instance_attribute(thing, "__defaults__"),
            instance_attribute(thing, "__kwdefaults__"),
        )
        if all(each is None or type(each) in (tuple, dict) for each in held):
            sources.append(f"what {name_of(thing)} says about its code")
            return of_code(co, *held)
    text = instance_attribute(thing, "__text_signature__")
    if type(text) is str and text:
        return _of_text(thing, text, sources)
    has = [class_attribute(type(thing), name) is not MISSING for name in ("__get__", "__set__")]
    if has == [True, False]:  # inspect takes it for a method descriptor of C
        raise UnreportedError(f"no signature found for builtin {text_of(thing)}")
    call = class_attribute(type(thing), "__call__")
    sources.append(f"__call__ of {type_name_of(thing)}")
    return _of_method(call, sources, depth)
