"""Objects of libraries that stand for a function of the user's are said, and unwrapped."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator

import click
import pytest

import coscope


@contextlib.contextmanager
def managed(a: int) -> Iterator[int]:
    yield a


@click.command()
def command() -> int:
    return 1


@functools.singledispatch
def dispatched(a: object) -> object:
    return a


@pytest.mark.parametrize(
    ("thing", "package", "name"),
    [
        (managed, "contextlib", "managed"),
        (command, "click", "command"),
        (dispatched, "functools", "dispatched"),
    ],
)
def test_a_stand_in_is_said_and_unwrapped(thing: object, package: str, name: str) -> None:
    (warning,) = coscope.read(thing).warnings

    assert f"code of {package}, which stands for {name}; --unwrap shows that function" == warning
    assert (name, ()) == (
        coscope.read(thing, unwrap=True).qualname,
        coscope.read(thing, unwrap=True).warnings,
    )


def test_a_decorator_of_ones_own_is_no_stand_in() -> None:
    def plain() -> None: ...

    @functools.wraps(plain)
    def wrapper() -> None: ...

    assert () == coscope.read(wrapper).warnings
