"""Functions with annotations of every sort, for the tests of `signature`."""

# Some annotations are wrong on purpose.
# mypy: ignore-errors
# ruff: noqa: F722, F821

import collections
import functools
import typing
from typing import TYPE_CHECKING, Any, Literal, Optional

if TYPE_CHECKING:
    from decimal import Decimal


def plain(a: int, b: str = "", *args: float) -> None: ...


def quoted(a: "int", b: "list[str]") -> "Later": ...


class Later: ...


def hidden(a: "Decimal") -> None: ...


def unknown(a: "Nowhere") -> None: ...


def union(a: int | None, b: "int | None", c: list[int]) -> None: ...


def broken(a: "not a type at all ]") -> None: ...


def no_attribute(a: "collections.Nothing", b: "collections.OrderedDict") -> None: ...


def adds_text(a: "'Later' | None") -> None: ...


def nested(a: Optional["Nowhere"], b: list["Later"], c: Literal["Nowhere"]) -> None: ...


def enclosing():
    class Local: ...

    def fn(a: "Local") -> None: ...

    return fn


def wrap(fn):
    @functools.wraps(fn)
    def wrapper(*args, **kwargs):
        return fn(*args, **kwargs)

    return wrapper


def bare(fn):
    def wrapper(*args: Any, **kwargs: "Any") -> Any:
        return fn(*args, **kwargs)

    return wrapper


wrapped = wrap(quoted)
bared = bare(hidden)
overloaded: typing.Any = None
