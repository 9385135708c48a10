"""Whether a call gets through a chain of wrappers, decided from their code. Nothing is called."""

from __future__ import annotations

import ast
import functools
from dataclasses import dataclass, replace
from types import FunctionType, MethodType
from typing import Any

from coscope.errors import InputError
from coscope.facts.calls.binding import explain
from coscope.facts.calls.callees import reach
from coscope.facts.calls.parameters import Arguments, Given, Stage
from coscope.facts.names.scopes import EMPTY, builtins_of, contents_of, static_attribute
from coscope.facts.signatures.forwarding import Forward, forwards, parsed, read_stars, starred_of
from coscope.model import Code
from coscope.readers.attributes import (
    MISSING,
    class_attribute,
    instance_attribute,
    is_a,
    member,
    mro_of,
    namespace_of,
)
from coscope.readers.values import name_of_class, value_of

_DEEPEST = 50  # wrappers
STAND_IN = object()  # for an instance that does not exist
TYPE_CALL = namespace_of(type)["__call__"]
_IS_ABSTRACT = 1 << 20  # Py_TPFLAGS_IS_ABSTRACT
_flags_of = type.__dict__["__flags__"].__get__
OBJECT_INIT = namespace_of(object)["__init__"]
OBJECT_NEW = namespace_of(object)["__new__"]


@dataclass(frozen=True, slots=True)
class Receiver:
    """What stands for `self` or `cls` in a function."""

    cls: type
    instance: Any = MISSING


@dataclass(frozen=True, slots=True)
class Callee:
    """What a forwarding call calls."""

    thing: Any
    receiver: Receiver | None = None
    assumed: bool = False  # `super()` where the class of `self` is not known: its own is taken


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a call gets through."""

    error: str | None  # the message of the TypeError; None: nothing refuses it
    by: str | None  # qualified name of what refuses it
    certain: bool  # every call on the way was followed, and happens always
    when: str = "called"  # "called", "awaited" or "iterated": when the error comes


def judge(
    thing: object, arguments: Arguments, receiver: Receiver | None = None, depth: int = _DEEPEST
) -> Verdict:
    """Decide a call, through every wrapper whose code hands it on.

    Args:
        thing: Any callable.
        arguments: Of the call.
        receiver: What `self` stands for, where `thing` is a method that was found by `super()`.
        depth: Wrappers that are followed, at most.
    """
    if thing is OBJECT_INIT or thing is OBJECT_NEW:
        return _at_object(thing, arguments)
    if thing is TYPE_CALL and receiver is not None and is_a(receiver.instance, type):
        return _constructed(receiver.instance, arguments, depth)
    try:
        reached = reach(thing, arguments)
    except InputError:
        return Verdict(None, None, False)
    if reached.error is not None and not reached.stages and is_abstract(thing):
        return Verdict(None, None, False)  # no call binds, whatever its arguments
    if reached.error is not None:
        by = reached.stages[-1].function.qualname if reached.stages else None
        return Verdict(reached.error, by, True)
    verdict = Verdict(None, None, not any(step.kind == "note" for step in reached.steps))
    for stage in reached.stages:
        verdict = _both(verdict, _inside(stage, receiver_of(thing) or receiver, depth))
        if verdict.error is not None:
            break
    return verdict


def is_abstract(thing: object) -> bool:
    """True for a class that `object.__new__` makes no instance of."""
    return is_a(thing, type) and bool(_flags_of(thing) & _IS_ABSTRACT)


def _both(first: Verdict, second: Verdict) -> Verdict:
    certain = first.certain and second.certain
    if second.error is not None:
        certain = second.certain
    return Verdict(second.error, second.by, certain, second.when)


def _at_object(thing: object, arguments: Arguments) -> Verdict:
    """`object.__init__` and `object.__new__`, reached from a class's own: they take nothing more.

    Source:
        CPython 3.13.0, Objects/typeobject.c, object_init, object_new.
    """
    if thing is OBJECT_INIT:
        own, name, one = 0, "__init__", "the instance to initialize"
    else:
        own, name, one = 1, "__new__", "the type to instantiate"
    if len(arguments.positional) <= own and not arguments.keywords:
        return Verdict(None, None, True)
    text = f"object.{name}() takes exactly one argument ({one})"
    return Verdict(text, f"object.{name}", True)


def _constructed(cls: type, arguments: Arguments, depth: int) -> Verdict:
    """`type.__call__` of a class, asked for by its metaclass."""
    verdict = Verdict(None, None, True)
    new, init = class_attribute(cls, "__new__"), class_attribute(cls, "__init__")
    new = member(staticmethod, "__func__", new) if type(new) is staticmethod else new
    plain = arguments.positional or arguments.keywords
    if new is OBJECT_NEW and init is OBJECT_INIT and plain:
        return Verdict(f"{name_of_class(cls)}() takes no arguments", name_of_class(cls), True)
    for function, first in ((new, cls), (init, STAND_IN)):
        if function is OBJECT_NEW or function is OBJECT_INIT:
            continue
        if type(function) is not FunctionType:
            verdict = Verdict(None, None, False)
            continue
        given = Given(value_of(first), "the class" if first is cls else "the new instance")
        inner = Arguments((given, *arguments.positional), arguments.keywords)
        verdict = _both(verdict, judge(function, inner, Receiver(cls), depth - 1))
        if verdict.error is not None:
            break
    return verdict


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


def _inside(stage: Stage, receiver: Receiver | None, depth: int) -> Verdict:
    """What the code of a function that was entered does with the arguments."""
    function, code = stage.function.object, stage.function.code
    if type(function) is not FunctionType or not depth:
        return Verdict(None, None, False)
    certain = True
    followed: set[str] = set()
    for forward, callee in followed_calls(function, code, receiver):
        if callee is None or callee.assumed or not forward.exact or not forward.always:
            certain = False
            continue
        if not _unpacks(stage, forward):
            certain = False  # a parameter is unpacked: what it holds is the caller's choice
            continue
        followed.update(forward.stars)
        handed = _handed_on(stage, forward, callee)
        if isinstance(handed, str):
            return Verdict(handed, stage.function.qualname, True, when_run(code))
        inner = judge(callee.thing, handed, callee.receiver, depth - 1)
        if inner.error is not None:
            later = inner.when if inner.when != "called" else when_run(code)
            return Verdict(inner.error, inner.by, inner.certain, later)
        certain = certain and inner.certain
    stars = starred_of(code)
    unknown = any(stars[name] not in followed for name in read_stars(code))
    return Verdict(None, None, certain and not unknown)


def _unpacks(stage: Stage, forward: Forward) -> bool:
    """True if what is handed on with stars are the function's own `*args` and `**kwargs`."""
    held = {slot.name: slot.value for slot in stage.slots}
    for each in forward.passed:
        value = held.get(each.parameter) if each.parameter is not None else None
        wanted = {"*": tuple, "**": dict}.get(each.kind)
        if value is not None and wanted is not None and type(value.object) is not wanted:
            return False
    return True


def when_run(code: Code) -> str:
    """When the code of a function runs: a coroutine's only when it is awaited."""
    if code.flags & 0x80:
        return "awaited"
    return "iterated" if code.flags & (0x20 | 0x200) else "called"


def followed_calls(
    function: FunctionType, code: Code, receiver: Receiver | None
) -> list[tuple[Forward, Callee | None]]:
    """The calls that hand `*args` or `**kwargs` on, or call what `__wrapped__` names."""
    wrapped = dict.get(function.__dict__, "__wrapped__", MISSING)
    found = []
    for forward in forwards(code):
        callee = resolve(forward.callee, function, receiver)
        if forward.stars or (callee is not None and callee.thing is wrapped):
            found.append((forward, callee))
    return found


def _handed_on(stage: Stage, forward: Forward, callee: Callee) -> Arguments | str:
    """The arguments of the inner call, or the error that making it raises."""
    held = {slot.name: slot.value for slot in stage.slots}
    positional: list[Given] = []
    keywords: dict[str, Given] = {}

    def name(key: str, given: Given) -> str | None:
        if key in keywords:
            return explain(callee.thing, (), [(key, None), (key, None)]).error
        keywords[key] = given
        return None

    for each in forward.passed:
        value = held.get(each.parameter) if each.parameter is not None else None
        given = Given(value_of(STAND_IN) if value is None else value, each.text)
        problem = None
        if each.kind == "positional":
            positional.append(given)
        elif each.kind == "*" and value is not None:
            positional += [Given(value_of(item), each.text) for item in value.object]
        elif each.name is not None:
            problem = name(each.name, given)
        elif value is not None:
            for key, item in value.object.items():
                problem = problem or name(key, Given(value_of(item), each.text))
        if problem is not None:
            return problem
    return Arguments(tuple(positional), tuple(keywords.items()))


# What a call's text names


def resolve(expression: str, function: FunctionType, receiver: Receiver | None) -> Callee | None:
    """The object that an expression in a function's code names, without running it; else None."""
    node = parsed(expression)
    names: list[str] = []
    while isinstance(node, ast.Attribute):
        names.insert(0, node.attr)
        node = node.value
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "super":
        return _of_super(function, node, names, receiver)
    if not isinstance(node, ast.Name):
        return None
    co = function.__code__
    if co.co_argcount and node.id == co.co_varnames[0]:
        return None if receiver is None or len(names) != 1 else _of_receiver(receiver, names[0])
    value = _variable(function, node.id)
    for name in names:
        value = static_attribute(value, name)
    return None if value is MISSING else Callee(value)


def _variable(function: FunctionType, name: str) -> Any:
    co = function.__code__
    if name in co.co_freevars:
        held = contents_of(function)[co.co_freevars.index(name)]
        return MISSING if held is EMPTY else held
    if name in co.co_varnames or name in co.co_cellvars:
        return MISSING
    value = dict.get(function.__globals__, name, MISSING)
    return dict.get(builtins_of(function) or {}, name, MISSING) if value is MISSING else value


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
    order = mro_of(receiver.cls)
    if not any(base is cls for base in order):
        if not is_a(receiver.instance, type):
            return None
        order = mro_of(receiver.instance)  # a classmethod, or __new__
    after = [base is cls for base in order]
    if True not in after:
        return None
    for base in order[after.index(True) + 1 :]:
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


def _bound(value: object, receiver: Receiver) -> Callee | None:
    """What a class holds, as an attribute of the receiver."""
    if type(value) is staticmethod:
        return Callee(member(staticmethod, "__func__", value), receiver)
    if type(value) is classmethod:
        return Callee(MethodType(member(classmethod, "__func__", value), receiver.cls), receiver)
    if type(value) is FunctionType:
        instance = STAND_IN if receiver.instance is MISSING else receiver.instance
        return Callee(MethodType(value, instance), receiver)
    known = (OBJECT_INIT, OBJECT_NEW, TYPE_CALL)
    return Callee(value, receiver) if any(value is each for each in known) else None
