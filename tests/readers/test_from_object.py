"""Every sort of live object leads to its function, and says by which steps."""

from __future__ import annotations

import collections
import enum
import functools
import math
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from coscope.errors import NoCodeObject, TargetError
from coscope.readers.from_object import from_object, leads_to_python


def plain(x: int) -> int:
    return x


def decorated(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def wrapper(*args: Any) -> Any:
        return function(*args)

    return wrapper


class Meta(type):
    def __call__(cls, *args: Any) -> Any:
        return super().__call__(*args)


class Base:
    def __init__(self, x: int = 0) -> None:
        self.x = x

    def method(self) -> int:
        return self.x

    @staticmethod
    def static() -> None: ...

    @classmethod
    def of_class(cls) -> None: ...

    @property
    def size(self) -> int:
        return 1

    @functools.cached_property
    def cached(self) -> int:
        return 2

    half = functools.partialmethod(method)

    @functools.singledispatchmethod
    def dispatched(self, x: Any) -> None: ...

    def __call__(self) -> int:
        return 3


class Derived(Base, metaclass=Meta):
    pass


class Made:
    def __new__(cls) -> Made:
        return object.__new__(cls)


class Empty:
    def method(self) -> None: ...

    named = staticmethod(plain)
    number = 3


class Color(enum.Enum):
    RED = 1


def numbers() -> Iterator[int]:
    yield 1


async def waits() -> None: ...


async def streams() -> AsyncIterator[int]:
    yield 1


def current_frame() -> Any:
    return sys._getframe()


def traceback_of_a_fault() -> Any:
    try:
        plain.nothing  # type: ignore[attr-defined]  # noqa: B018
    except AttributeError as error:
        return error.__traceback__


def closed_coroutine() -> Any:
    coroutine = waits()
    coroutine.close()
    return coroutine


lru = functools.lru_cache(plain)

FOLLOWED = [
    (plain, "plain", ()),
    (lambda: None, "<lambda>", ()),
    (Base().method, "Base.method", ("bound method.__func__",)),
    (Base.of_class, "Base.of_class", ("bound method.__func__",)),
    (Base.__dict__["static"], "Base.static", ("staticmethod.__func__",)),
    (Base.__dict__["of_class"], "Base.of_class", ("classmethod.__func__",)),
    (Base.__dict__["size"], "Base.size", ("property.fget",)),
    (property(None, plain), "plain", ("property.fset",)),
    (Base.__dict__["cached"], "Base.cached", ("functools.cached_property.func",)),
    (Base.__dict__["half"], "Base.method", ("functools.partialmethod.func",)),
    (
        Base.__dict__["dispatched"],
        "Base.dispatched",
        ("functools.singledispatchmethod.func",),
    ),
    (functools.partial(plain, 1), "plain", ("functools.partial.func",)),
    (
        functools.partial(Base().method),
        "Base.method",
        ("functools.partial.func", "bound method.__func__"),
    ),
    (lru, "plain", ("functools.lru_cache.__wrapped__",)),
    (Base, "Base.__init__", (f"constructor {__name__}.Base.__init__",)),
    (
        Derived,
        "Base.__init__",
        (f"constructor {__name__}.Derived.__init__ (of {__name__}.Base)",),
    ),
    (
        Made,
        "Made.__new__",
        (f"constructor {__name__}.Made.__new__", "staticmethod.__func__"),
    ),
    (Base(), "Base.__call__", (f"{__name__}.Base.__call__",)),
    (numbers(), "numbers", ("generator.gi_code",)),
    (closed_coroutine(), "waits", ("coroutine.cr_code",)),
    (streams(), "streams", ("async generator.ag_code",)),
    (current_frame(), "current_frame", ("frame.f_code",)),
    (
        traceback_of_a_fault(),
        "traceback_of_a_fault",
        ("traceback, innermost frame.f_code",),
    ),
    (plain.__code__, "plain", ()),
]


@pytest.mark.parametrize(("thing", "qualname", "via"), FOLLOWED)
def test_an_object_leads_to_its_function(thing: object, qualname: str, via: tuple[str]) -> None:
    read = from_object(thing)

    assert (qualname, via) == (read.qualname, read.via)


def test_a_function_of_a_generator_is_not_known_only_its_code_is() -> None:
    read = from_object(numbers())

    assert (False, ()) == (read.live, read.cells)


def test_a_decorated_function_is_read_as_it_is() -> None:
    assert "decorated.<locals>.wrapper" == from_object(decorated(plain)).code.qualname


def test_unwrap_follows_every_wrapper() -> None:
    read = from_object(decorated(decorated(plain)), unwrap=True)

    assert ("plain", ("__wrapped__", "__wrapped__")) == (read.code.qualname, read.via)


def test_unwrap_follows_a_wrapping_instance_with_a_call_of_its_own() -> None:
    base = Base()
    base.__wrapped__ = plain  # type: ignore[attr-defined]

    assert "Base.__call__" == from_object(base).qualname
    assert "plain" == from_object(base, unwrap=True).qualname


def test_a_wrapping_instance_that_is_not_callable_is_followed() -> None:
    empty = Empty()
    empty.__wrapped__ = plain  # type: ignore[attr-defined]

    assert (f"{__name__}.Empty.__wrapped__",) == from_object(empty).via


def test_a_metaclass_that_is_called_first_is_told() -> None:
    (warning,) = from_object(Derived).warnings

    assert f"calling {__name__}.Derived runs Meta.__call__ of its metaclass first" == warning


def test_wrappers_in_a_circle_are_refused() -> None:
    first, second = decorated(plain), decorated(plain)
    first.__wrapped__, second.__wrapped__ = second, first  # type: ignore[attr-defined]

    with pytest.raises(TargetError, match="form a circle"):
        from_object(first, unwrap=True)


def test_instances_that_call_each_other_are_refused() -> None:
    first = type("First", (), {})
    second = type("Second", (), {"__call__": first()})
    first.__call__ = second()  # type: ignore[method-assign]

    with pytest.raises(TargetError, match="form a circle"):
        from_object(first())


def test_a_traceback_of_several_frames_gives_the_innermost() -> None:
    def fails() -> None:
        raise ValueError

    try:
        fails()
    except ValueError as error:
        read = from_object(error.__traceback__)

    assert fails.__qualname__ == read.qualname


@pytest.mark.parametrize(
    ("thing", "signature", "doc"),
    [
        (len, "len(obj, /)", "Return the number of items in a container."),
        (math.sin, "sin(x, /)", "Return the sine of x (measured in radians)."),
        ("".join, "join(iterable, /)", "Concatenate any number of strings."),
        (str.upper, "upper()", "Return a copy of the string converted to uppercase."),
        (functools.partial(len), "len(obj, /)", "Return the number of items in a container."),
        (functools.lru_cache(len), "len(obj, /)", "Return the number of items in a container."),
        (int.__add__, "__add__(value, /)", "Return self+value."),
    ],
)
def test_a_c_function_has_no_code_object(thing: object, signature: str, doc: str) -> None:
    with pytest.raises(NoCodeObject) as raised:
        from_object(thing)

    assert (signature, doc) == (raised.value.signature, raised.value.doc)


@pytest.mark.parametrize("thing", [3, "text", None, object(), [plain], Color.RED, range(3)])
def test_other_objects_have_none_either(thing: object) -> None:
    with pytest.raises(NoCodeObject) as raised:
        from_object(thing)

    assert type(thing).__qualname__ in str(raised.value.found)


def test_a_class_without_a_python_constructor_names_its_functions() -> None:
    with pytest.raises(NoCodeObject) as raised:
        from_object(Empty)

    assert ("method", "named") == raised.value.functions


@pytest.mark.parametrize("cls", [int, type, object, collections.OrderedDict, type(len)])
def test_a_c_class_has_no_python_functions(cls: type) -> None:
    with pytest.raises(NoCodeObject) as raised:
        from_object(cls)

    assert () == raised.value.functions


def test_a_named_tuple_is_made_by_its_new() -> None:
    read = from_object(collections.namedtuple("Point", "x y"))

    assert ("cls", "x", "y") == ("cls", *(a.name for a in read.arguments[1:]))


@pytest.mark.parametrize("thing", [int, enum.Enum, type("C", (), {"__call__": lambda self: 1})])
def test_a_class_does_not_lead_to_a_function(thing: type) -> None:
    assert leads_to_python(thing) is False
    assert leads_to_python(lambda: 0) is True
