"""Reading a live object runs none of its code."""

from __future__ import annotations

import functools
from types import FunctionType, MethodType
from typing import Any

import pytest

from coscope.errors import CoscopeError
from coscope.facts import diagram, names_of
from coscope.readers import read
from coscope.readers.values import value_of
from tests.readers.hostile import (
    CALLS,
    HostileDict,
    HostileText,
    HostileTuple,
    hostile,
    hostile_class,
    recorder,
)


@pytest.fixture(autouse=True)
def _forget_calls() -> None:
    CALLS.clear()


def read_all(target: object) -> None:
    """Read an object and everything that the card tells of it; a refusal is an answer too."""
    for unwrap in (False, True):
        try:
            function = read(target, unwrap=unwrap)
        except CoscopeError as error:
            str(error)
            continue
        list(function.code.instructions)
        names_of(function)
        diagram(function)
        repr(function)


def with_everything() -> FunctionType:
    """A function that holds hostile objects wherever a function can hold one."""
    captured = hostile()

    def function(a: Any = None, *, key: Any = None) -> Any:
        return captured, a, key, len

    function.__defaults__ = HostileTuple((hostile(),))
    function.__kwdefaults__ = HostileDict(key=hostile())
    function.__dict__["attribute"] = hostile()
    function.__dict__["__wrapped__"] = hostile()
    function.__annotations__ = HostileDict(a=hostile(), key=HostileText("int"))
    function.__doc__ = hostile()
    function.__module__ = hostile()
    function.__name__ = HostileText("function")
    function.__qualname__ = HostileText("with_everything.<locals>.function")
    return function  # type: ignore[return-value]


def test_a_function_full_of_hostile_objects() -> None:
    read_all(with_everything())

    assert [] == CALLS


def test_globals_and_builtins_of_hostile_types() -> None:
    spaces = HostileDict(hostile=hostile(), __builtins__=HostileDict(len=hostile()))
    function = FunctionType((lambda: (hostile, len)).__code__, spaces)

    read_all(function)

    assert [] == CALLS


def test_constants_that_no_compiler_emits() -> None:
    code = (lambda: None).__code__
    consts = HostileTuple((None, hostile(), (1, hostile()), HostileText("x"), hostile_class()))
    function = FunctionType(code.replace(co_consts=consts, co_name=HostileText("f")), {})

    read_all(function)

    assert [] == CALLS


@pytest.mark.parametrize(
    "make",
    [
        hostile,
        hostile_class,
        lambda: functools.partial(with_everything(), hostile(), key=hostile()),
        lambda: functools.lru_cache(with_everything()),
        lambda: MethodType(with_everything(), hostile()),
        lambda: MethodType(len, hostile()),
        lambda: staticmethod(with_everything()),
        lambda: classmethod(with_everything()),
        lambda: property(with_everything()),
        lambda: functools.partialmethod(with_everything(), hostile()),
        lambda: functools.cached_property(with_everything()),
        lambda: type("Holder", (), {"__call__": hostile()})(),
        lambda: type("Holder", (), {"__init__": hostile(), "__new__": hostile()}),
        lambda: type("Slots", (), {"__slots__": ("__wrapped__", "__dict__")})(),
        lambda: type("Liar", (), {"__dict__": property(recorder("__dict__"))})(),
        lambda: [hostile(), {"key": hostile()}],
    ],
)
def test_wrappers_and_instances(make: Any) -> None:
    read_all(make())

    assert [] == CALLS


def test_a_shown_value_is_type_and_address() -> None:
    thing = hostile()

    shown = value_of(thing)

    assert f"<tests.readers.hostile.Hostile at {id(thing):#x}>" == shown.text
    assert "tests.readers.hostile.Hostile" == shown.type_name
    assert [] == CALLS


@pytest.mark.parametrize(
    "make",
    [
        lambda: [hostile()],
        lambda: (hostile(), (hostile(),)),
        lambda: {1: hostile()},
        lambda: HostileTuple((1,)),
        lambda: HostileDict(a=1),
        lambda: HostileText("text"),
        hostile_class,
    ],
)
def test_a_shown_container_shows_its_items_so_too(make: Any) -> None:
    text = value_of(make()).text

    assert text.isprintable()
    assert [] == CALLS
