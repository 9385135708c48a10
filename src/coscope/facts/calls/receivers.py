"""What a function's code calls when it passes on its arguments: named by text, found live."""

from __future__ import annotations

import ast
import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import (
    BuiltinFunctionType,
    FunctionType,
    MappingProxyType,
    MethodType,
    ModuleType,
    WrapperDescriptorType,
)
from typing import Any, TypeGuard

from coscope.facts.calls.expressions import parsed
from coscope.facts.names.scopes import EMPTY, builtins_of, contents_of, static_attribute
from coscope.readers.attributes import (
    MISSING,
    class_attribute,
    instance_attribute,
    is_a,
    member,
    mro_of,
    namespace_of,
)

_DEEPEST = 50  # partials
STAND_IN = object()  # for an instance that does not exist
TYPE_CALL = namespace_of(type)["__call__"]
OBJECT_INIT = namespace_of(object)["__init__"]
OBJECT_NEW = namespace_of(object)["__new__"]


@dataclass(frozen=True, slots=True)
class Receiver:
    """What `self` or `cls` is in a function."""

    cls: type
    instance: Any = MISSING


@dataclass(frozen=True, slots=True)
class Callee:
    """What a forwarding call calls."""

    thing: Any
    receiver: Receiver | None = None
    assumed: bool = False  # `super()` where the class of `self` is not known: its own is taken


def receiver_of(thing: Any) -> Receiver | None:
    """What a callable gives its function as the first argument."""
    for _ in range(_DEEPEST):
        if not is_a(thing, functools.partial):
            break
        thing = member(functools.partial, "func", thing)
    if is_a(thing, MethodType):
        held = member(MethodType, "__self__", thing)
        if held is STAND_IN:
            return None
        return Receiver(held if is_a(held, type) else type(held), held)
    if is_a(thing, type):
        call = class_attribute(type(thing), "__call__")
        return Receiver(thing) if call is TYPE_CALL else Receiver(type(thing), thing)
    if type(class_attribute(type(thing), "__call__")) is FunctionType:
        return Receiver(type(thing), thing)
    return None


def resolve(
    expression: str,
    function: FunctionType,
    receiver: Receiver | None,
    held: Mapping[str, object] = MappingProxyType({}),
) -> Callee | None:
    """The object that an expression in a function's code names, without running it; else None.

    Args:
        expression: As `Forward.callee` has it.
        function: Whose code it is.
        receiver: What its first parameter holds.
        held: The objects that parameters hold and keep, by name.
    """
    node = parsed(expression)
    names: list[str] = []
    while isinstance(node, ast.Attribute):
        names.insert(0, node.attr)
        node = node.value
    if _is_super(node):
        return _of_super(function, node, names, receiver)
    if not isinstance(node, ast.Name):
        return None
    co = function.__code__
    if receiver is not None and co.co_argcount and node.id == co.co_varnames[0]:
        return _of_receiver(receiver, names[0]) if len(names) == 1 else None
    value = held[node.id] if node.id in held else _variable(function, node.id)
    return _by_attributes(value, names)


def _is_super(node: ast.expr | None) -> TypeGuard[ast.Call]:
    return (
        isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "super"
    )


def _by_attributes(value: object, names: list[str]) -> Callee | None:
    """What attributes of an object lead to; the last of an instance's may be a bound method."""
    for at, name in enumerate(names):
        if value is not MISSING and not is_a(value, type) and not is_a(value, ModuleType):
            found = _of_instance(value, name)
            if at + 1 == len(names) or found is None:
                return found
            value = found.thing
        else:
            value = static_attribute(value, name)
    return None if value is MISSING else Callee(value)


def _of_instance(thing: Any, name: str) -> Callee | None:
    """An attribute of an instance whose class looks attributes up as `object` does."""
    cls = type(thing)
    plain = namespace_of(object)["__getattribute__"]
    if class_attribute(cls, "__getattribute__") is not plain:
        return None
    held = class_attribute(cls, name)
    if held is not MISSING and class_attribute(type(held), "__set__") is not MISSING:
        value = instance_attribute(thing, name)  # a slot or a C-level getter, else a property
        return None if value is MISSING or type(held) is property else Callee(value)
    return _of_receiver(Receiver(cls, thing), name)


def _variable(function: FunctionType, name: str) -> Any:
    co = function.__code__
    if name in co.co_freevars:
        held = contents_of(function)[co.co_freevars.index(name)]
        return MISSING if held is EMPTY else held
    if name in co.co_varnames or name in co.co_cellvars:
        return MISSING
    value = dict.get(function.__globals__, name, MISSING)
    return dict.get(builtins_of(function) or {}, name, MISSING) if value is MISSING else value


def _after(cls: type, receiver: Receiver) -> Sequence[type]:
    """The classes that follow a class in the order in which `super()` looks."""
    orders = [mro_of(receiver.cls)]
    if is_a(receiver.instance, type):  # a classmethod, or __new__
        orders.append(mro_of(receiver.instance))
    for order in orders:
        for at, base in enumerate(order):
            if base is cls:
                return order[at + 1 :]
    return ()


def _of_super(
    function: FunctionType, node: ast.Call, names: list[str], receiver: Receiver | None
) -> Callee | None:
    """`super().name`, by the classes that come after the function's own."""
    owner = "__class__"
    if node.args and isinstance(node.args[0], ast.Name):
        owner = node.args[0].id
    cls = _variable(function, owner)
    if len(names) != 1 or not is_a(cls, type):
        return None
    assumed, receiver = receiver is None, receiver or Receiver(cls)
    for base in _after(cls, receiver):
        value = namespace_of(base).get(names[0], MISSING)
        if value is not MISSING:
            found = _bound(value, receiver)
            return replace(found, assumed=assumed) if found is not None else None
    return None


def _of_receiver(receiver: Receiver, name: str) -> Callee | None:
    """`self.name` or `cls.name`."""
    if receiver.instance is not MISSING and not is_a(receiver.instance, type):
        own = instance_attribute(receiver.instance, name)
        if own is not MISSING:
            return Callee(own)
    cls = receiver.instance if is_a(receiver.instance, type) else receiver.cls
    value = class_attribute(cls, name)
    return None if value is MISSING else _bound(value, receiver)


def _bound(value: Any, receiver: Receiver) -> Callee | None:
    """What a class holds, as an attribute of the receiver."""
    if type(value) is staticmethod:
        return Callee(member(staticmethod, "__func__", value), receiver)
    if type(value) is classmethod:
        return Callee(MethodType(member(classmethod, "__func__", value), receiver.cls), receiver)
    if type(value) is FunctionType:
        instance = STAND_IN if receiver.instance is MISSING else receiver.instance
        return Callee(MethodType(value, instance), receiver)
    if type(value) is WrapperDescriptorType or type(value) is BuiltinFunctionType:
        return Callee(value, receiver)  # C code: `self` is left out of the arguments
    return None
