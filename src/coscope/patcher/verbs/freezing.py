"""`freeze`: names of a function become constants."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from types import FunctionType
from typing import Any, TypeVar, overload

from coscope.errors import NothingSelected, PatchError, hidden_for
from coscope.facts.names.scopes import EMPTY, contents_of
from coscope.model import Code
from coscope.patcher.applying.name_binding import names_read
from coscope.patcher.verbs.patching import copy
from coscope.patcher.verbs.reaching import Reached, reach
from coscope.patcher.verbs.requests import Request
from coscope.readers.attributes import MISSING, is_a
from coscope.readers.values import type_name_of

__tracebackhide__ = hidden_for

F = TypeVar("F")


@overload
def freeze(fn: str, /, *names: str, **values: object) -> Callable[[F], F]: ...
@overload
def freeze(fn: None = None, /, **values: object) -> Callable[[F], F]: ...
@overload
def freeze(fn: F, /, *names: str, **values: object) -> F: ...
def freeze(fn: Any = None, /, *names: str, **values: object) -> object:
    """Make a copy of a function in which names are constants.

    What is bound to the names later does not change it, and it takes them along when it is
    shipped. Functions nested in it are frozen too; helpers that it calls are not.

    Args:
        fn: A function, or what wraps one. A name instead makes a decorator of the whole.
        names: Globals, builtins or free variables that keep the value that they have now.
        values: Names and the values that they are to have.

    Returns:
        The new function, with a receipt; or a decorator.

    Raises:
        NothingSelected: The function does not read the name, or it is not bound to anything.
        Refused: The function itself assigns the name.
        PatchError: No name is given.

    >>> SCALE = 2
    >>> def scaled(x): return x * SCALE
    >>> tripled = freeze(scaled, SCALE=3)
    >>> tripled(5)
    15
    >>> @freeze("len")
    ... def size(x): return len(x)
    >>> len = None
    >>> size("four")
    4
    """
    if fn is None or is_a(fn, str):
        wanted = names if fn is None else (fn, *names)
        _check(wanted, values)
        return lambda function: _frozen(function, wanted, values)
    _check(names, values)
    return _frozen(fn, names, values)


def _check(names: tuple[str, ...], values: Mapping[str, object]) -> None:
    if not names and not values:
        raise PatchError(
            "no name to freeze is given", hint='Name some: freeze(fn, "len", SCALE=3).'
        )
    for name in names:
        if not is_a(name, str):
            raise PatchError("a name is a string", found=type_name_of(name))


def _frozen(fn: object, names: tuple[str, ...], values: Mapping[str, object]) -> object:
    reached = reach(fn)
    bound = {**dict(_values(reached, names)), **values}
    return copy(Request(bound=tuple(bound.items())), reached)


def _values(reached: Reached, names: tuple[str, ...]) -> Iterator[tuple[str, object]]:
    """What the names are bound to now."""
    function = reached.function
    cells = dict(zip(reached.code.freevars, contents_of(function), strict=False))
    for name in names:
        value = cells[name] if name in cells else _global(function, name)
        if value is EMPTY or value is MISSING:
            raise _no_value(reached.code, name)
        yield name, value


def _no_value(code: Code, name: str) -> NothingSelected:
    """The error for a name that is not bound, or that the function does not read at all."""
    read = names_read(code)
    if name in read:
        return NothingSelected(
            f"{name!r} has no value to freeze",
            code=code.qualname,
            hint=f"Give one: freeze(fn, {name}=...).",
        )
    near = get_close_matches(name, read, 1)
    meant = f"Did you mean {near[0]!r}? " if near else ""
    shown = f"It reads {', '.join(read[:12])}{', ...' if read[12:] else ''}." if read else ""
    return NothingSelected(
        f"nothing in {code.name!r} reads {name!r}",
        code=code.qualname,
        hint=meant + (shown or "It reads no names from outside."),
    )


def _global(function: FunctionType, name: str) -> object:
    live: Any = function  # mypy's stubs do not always know of __builtins__
    for namespace in (live.__globals__, live.__builtins__):
        value = dict.get(namespace, name, MISSING) if is_a(namespace, dict) else MISSING
        if value is not MISSING:
            return value
    return MISSING
