"""Calls through wrappers, dispatchers, descriptors, classes: as CPython decides when it calls."""

from __future__ import annotations

import asyncio
import functools
import operator
import warnings
from typing import Any

import pytest

from coscope.cli.arguments import literals
from coscope.facts.calls.binding import explain
from tests.facts.calls import followed

NO_ARGUMENT = "singledispatchmethod raises IndexError, not TypeError"
MODULE = followed.__name__
CASES = [(name, call) for name, calls in followed.CALLS.items() for call in calls]


def real_error(name: str, call: str) -> str | None:
    """What CPython says when the call really happens, and what it gives is driven to its end."""
    given = literals(call)
    keywords = dict(given.keywords)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            result = operator.attrgetter(name)(followed)(*given.positional, **keywords)
            asyncio.run(followed.drive(result))
        except TypeError as error:
            return str(error)
        except IndexError:
            return NO_ARGUMENT
    return None


def answer(name: str, call: str) -> tuple[str, str | None]:
    given = literals(call)
    binding = explain(f"{MODULE}:{name}", given.positional, given.keywords)
    return binding.outcome, binding.error


@pytest.mark.parametrize(("name", "call"), CASES, ids=[f"{n}({c})" for n, c in CASES])
def test_a_call_is_followed_as_cpython_makes_it(name: str, call: str) -> None:
    outcome, error = answer(name, call)
    real = real_error(name, call)

    if name in followed.OPEN or real is NO_ARGUMENT:
        assert ("if", None) == (outcome, error)
    else:
        assert ("binds" if real is None else "raises", real) == (outcome, error)


def described(self: Any, instance: Any, owner: Any) -> Any:
    raise AssertionError("a user's descriptor was asked")


class Descriptor:
    __get__ = described


class Asked:
    method = Descriptor()
    of_descriptor = functools.partialmethod(Descriptor())

    @property
    def prop(self) -> Any:
        raise AssertionError("a property was asked")


asked = Asked()


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("Asked.method", "Descriptor.__get__"),
        ("asked.method", "Descriptor.__get__"),
        ("asked.of_descriptor", "Descriptor.__get__"),
        ("asked.prop", "property.__get__"),
    ],
)
def test_a_descriptor_of_the_users_is_not_asked(name: str, why: str) -> None:
    binding = explain(f"{__name__}:{name}", (1,))

    assert ("if", None) == (binding.outcome, binding.error)
    assert why in binding.conditions[0]


def sometimes(fn: Any) -> Any:
    def inner(*args: Any) -> Any:
        return fn(*args) if args else None

    return inner


def computed(table: Any) -> Any:
    def inner(name: Any, *args: Any) -> Any:
        return table[name](*args)

    return inner


class OfAnother:
    def __new__(cls, *args: Any) -> Any:
        return super().__new__(cls) if args else 3

    def __init__(self, one: Any) -> None:
        pass


def rebound(fn: Any) -> Any:
    def inner(*args: Any) -> Any:
        args = tuple(reversed(args))
        return fn(*args)

    return inner


@pytest.mark.parametrize(
    ("fn", "args", "outcome"),
    [
        (sometimes(followed.target), (1,), "binds"),  # whichever way it goes
        (sometimes(followed.target), (1, 2, 3), "if"),
        (computed({1: len}), (1, 2), "if"),
        (OfAnother, (1,), "binds"),
        (OfAnother, (), "if"),
        (rebound(followed.target), (1,), "if"),
    ],
)
def test_what_only_running_code_can_tell_is_said_as_if(fn: Any, args: Any, outcome: str) -> None:
    binding = explain(fn, args)

    assert outcome == binding.outcome
    assert (outcome == "if") is bool(binding.conditions)


def test_the_slots_of_each_function_on_the_way_are_shown() -> None:
    binding = explain(followed.by_first_added, (1,), {"z": 4})

    assert ["first_added.<locals>.inner", "target"] == [
        stage.function.qualname for stage in binding.stages
    ]
    assert {"x": "first", "y": 1, "z": 4} == binding.values


def test_a_coroutine_refuses_when_it_is_awaited() -> None:
    binding = explain(followed.by_awaiting, (1, 2))

    assert ("raises", "awaited") == (binding.outcome, binding.when)
