"""A function, found by its name, and its forms: code objects that take turns in it."""

from __future__ import annotations

import functools
import importlib
import inspect
import linecache
from types import CodeType, FunctionType, ModuleType
from typing import Callable, Dict, Iterator, List

Install = Callable[[], None]  # puts one form in place

_CHANGED = "its source does not give the code that it has: the file, or the function, was changed"


class Fault(Exception):
    """What the user gave cannot be measured; the text says why."""


class Place:
    """Where a function is, and what is held there: the function, or what wraps it."""

    def __init__(self, target: str) -> None:
        name, _, qualname = target.partition(":")
        self.target = target
        self.module: ModuleType = importlib.import_module(name)
        *path, self.name = qualname.split(".")
        owner: object = self.module
        for at, part in enumerate(path):
            if not hasattr(owner, part):
                raise Fault("%s has no %s" % (name, ".".join(path[: at + 1])))
            owner = getattr(owner, part)
        try:
            self.held: object = inspect.getattr_static(owner, self.name)
        except AttributeError:
            raise Fault("%s has no %s" % (name, qualname)) from None
        if isinstance(owner, type):
            owner = next(each for each in owner.__mro__ if self.name in vars(each))
        self.owner: object = owner

    def function(self) -> FunctionType:
        """The Python function, under what decorators made of it."""
        found: object = self.held
        seen: List[object] = []
        while not any(found is each for each in seen):
            seen.append(found)
            found = _unwrapped(found)
        if isinstance(found, FunctionType):
            return found
        if isinstance(found, type):
            raise Fault("%s is a class: name one of its functions, such as __init__" % self.target)
        if inspect.isbuiltin(found) or inspect.ismethoddescriptor(found):
            raise Fault("%s is not written in Python: there is no code to change" % self.target)
        raise Fault("%s is not a Python function, but of type %s" % (self.target, type(found)))


def _unwrapped(held: object) -> object:
    """One layer less: what a method, property, partial or decorated function wraps."""
    if isinstance(held, (staticmethod, classmethod)):
        return held.__func__
    if isinstance(held, property):
        return held.fget
    if isinstance(held, (functools.partial, functools.cached_property)):
        return held.func
    if inspect.ismethod(held):
        return held.__func__
    return vars(held).get("__wrapped__", held) if hasattr(held, "__dict__") else held


def text_of(function: FunctionType) -> str | None:
    """The whole text of the file that a function was compiled from; None if it is not found."""
    try:
        file = inspect.getsourcefile(function) or function.__code__.co_filename
    except TypeError:
        return None
    if file.startswith("<"):
        return None
    linecache.checkcache(file)
    lines = linecache.getlines(file, function.__globals__)
    return "".join(lines) or None


def form_of(function: FunctionType, changed: str) -> CodeType:
    """The code of a function as a changed text of its file gives it. Nothing is executed.

    The whole file is compiled, so that names are mangled, cells are made and `__future__` is
    obeyed as in the original. The function begins on the same line in both texts.
    """
    co = function.__code__
    text = text_of(function)
    if text is None:
        raise Fault("there is no source of it")
    own = _candidates(text, co)
    at = next((at for at, each in enumerate(own) if _alike(each, co)), None)
    if at is None:
        raise Fault(_CHANGED)
    found = _candidates(changed, co)[at]
    if found.co_freevars != co.co_freevars:
        raise Fault("the changed form has other free variables")
    return found


def copy_of(co: CodeType) -> CodeType:
    """Another code object that is the same, not specialised yet."""
    return co.replace(co_name=co.co_name)


def walk(co: CodeType) -> Iterator[CodeType]:
    """A code object and all that are nested in it, in order."""
    yield co
    for constant in co.co_consts:
        if isinstance(constant, CodeType):
            yield from walk(constant)


def _candidates(text: str, like: CodeType) -> List[CodeType]:
    module = compile(text, like.co_filename, "exec", dont_inherit=True)
    return [
        each
        for each in walk(module)
        if each.co_name == like.co_name and each.co_firstlineno == like.co_firstlineno
    ]


def _alike(one: CodeType, other: CodeType) -> bool:
    """True if two code objects do the same by the same instructions."""
    for name in ("co_code", "co_names", "co_varnames", "co_freevars", "co_cellvars", "co_flags"):
        if getattr(one, name) != getattr(other, name):
            return False
    if len(one.co_consts) != len(other.co_consts):
        return False
    for mine, others in zip(one.co_consts, other.co_consts):
        if isinstance(mine, CodeType) and isinstance(others, CodeType):
            if not _alike(mine, others):
                return False
        elif type(mine) is not type(others) or repr(mine) != repr(others):
            return False
    return True


def code_install(function: FunctionType, co: CodeType) -> Install:
    """Puts code into the function itself: whoever holds it, calls this form."""

    def install() -> None:
        function.__code__ = co

    return install


def other_install(place: Place, namespace: Dict[str, object], held: object) -> Install:
    """Puts another object where the function is found by its name."""

    def install() -> None:
        setattr(place.owner, place.name, held)
        if place.owner is place.module:
            namespace[place.name] = held

    return install
