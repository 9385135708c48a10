"""Objects that somebody may try to ship, each made anew by a function of no arguments."""

from __future__ import annotations

import array
import collections
import contextvars
import dataclasses
import datetime
import decimal
import enum
import fractions
import functools
import io
import json
import logging
import operator
import pathlib
import re
import sys
import threading
import types
import uuid
import weakref
from collections.abc import Callable
from typing import Any

LOCK = threading.Lock()
LIMIT = 10


class Session:
    """An ordinary class; instances hold what they are given."""

    def __init__(self, **held: Any) -> None:
        self.__dict__.update(held)

    def run(self) -> int:
        return LIMIT


class Slotted:
    __slots__ = ("handle", "unset")

    def __init__(self, handle: Any) -> None:
        self.handle = handle


class Careful:
    """Leaves its lock at home."""

    def __init__(self) -> None:
        self.lock = threading.Lock()

    def __getstate__(self) -> dict[str, Any]:
        return {}


class Careless:
    """Takes a lock along that it does not even hold."""

    def __getstate__(self) -> dict[str, Any]:
        return {"lock": threading.Lock()}


class Refuses:
    def __reduce__(self) -> Any:
        raise RuntimeError("not me")


class Named(collections.namedtuple("Named", "one two")):
    pass


class Colour(enum.Enum):
    RED = 1


@dataclasses.dataclass
class Record:
    handle: Any


@dataclasses.dataclass(frozen=True, slots=True)
class FrozenRecord:
    handle: Any


class Numbers(list):  # type: ignore[type-arg]
    pass


def plain(x: int) -> int:
    return x + LIMIT


def takes_lock() -> Any:
    return LOCK


@functools.lru_cache
def cached() -> int:
    return 1


def make_task(client: Any) -> Callable[[], Any]:
    def task() -> Any:
        return client

    return task


def make_default(value: Any) -> Callable[..., Any]:
    def task(given: Any = value, *, named: Any = value) -> Any:
        return given, named

    return task


def make_reader_of_lock() -> Callable[[], Any]:
    return lambda: (lambda: LOCK)()


def local_class() -> Any:
    class Local:
        size = 3

    return Local


def wrapped_lock() -> Callable[[], Any]:
    @functools.lru_cache
    def task() -> Any:
        return LOCK

    return task


def with_attribute() -> Callable[[], Any]:
    task = make_task(1)
    task.held = [threading.Lock()]  # type: ignore[attr-defined]
    return task


def circular() -> Session:
    outer = Session()
    outer.child = Session(parent=outer)  # type: ignore[attr-defined]
    outer.lock = threading.Lock()  # type: ignore[attr-defined]
    return outer


def nested(depth: int) -> list[Any]:
    inner: list[Any] = []
    for _ in range(depth):
        inner = [inner]
    return inner


def open_context() -> Any:
    return contextvars.copy_context()


def generator() -> Any:
    return (x for x in (1, 2))


async def _coroutine() -> None:
    return None


def coroutine() -> Any:
    made = _coroutine()
    made.close()
    return made


def weak() -> Any:
    held = Session()
    return [held, weakref.ref(held)]


OBJECTS: dict[str, Callable[[], Any]] = {
    "none": lambda: None,
    "text": lambda: ["text"],
    "numbers": lambda: [1, 2.5, 3j, 10**50],
    "bytes": lambda: bytearray(1000),
    "containers": lambda: {"a": [1, (2, {3}), frozenset({4})]},
    "tuple key": lambda: {(1, 2): 3},
    "circle": lambda: (held := [1], held.append(held))[0],
    "too deep": lambda: nested(100_000),
    "array": lambda: array.array("d", [1.0] * 10),
    "deque": lambda: collections.deque([1, 2]),
    "deque of locks": lambda: collections.deque([threading.Lock()]),
    "ordered": lambda: collections.OrderedDict(a=1),
    "counter": lambda: collections.Counter("abca"),
    "default dict": lambda: collections.defaultdict(list, a=[1]),
    "default dict of a lambda": lambda: collections.defaultdict(lambda: 1),
    "named tuple": lambda: Named(1, 2),
    "enum member": lambda: Colour.RED,
    "record": lambda: Record([1]),
    "record of a lock": lambda: Record(threading.Lock()),
    "frozen record": lambda: FrozenRecord([1]),
    "frozen record of a lock": lambda: FrozenRecord(threading.Lock()),
    "list subclass": lambda: Numbers([1, 2]),
    "list subclass of a lock": lambda: Numbers([threading.Lock()]),
    "instance": lambda: Session(a=1),
    "instance of a lock": lambda: Session(session=Session(lock=threading.Lock())),
    "slots": lambda: Slotted([1]),
    "slot of a lock": lambda: Slotted(threading.Lock()),
    "circle of a lock": circular,
    "own state": Careful,
    "own state of a lock": Careless,
    "own refusal": Refuses,
    "local class": local_class,
    "instance of a local class": lambda: local_class()(),
    "lock": threading.Lock,
    "reentrant lock": threading.RLock,
    "event": threading.Event,
    "thread local": threading.local,
    "method of a lock": lambda: threading.Lock().acquire,
    "method of a list": lambda: [].append,
    "date": lambda: datetime.datetime(2020, 1, 1),
    "decimal": lambda: decimal.Decimal("1.5"),
    "fraction": lambda: fractions.Fraction(1, 3),
    "path": lambda: [pathlib.PurePosixPath("a/b")],
    "uuid": lambda: uuid.UUID(int=1),
    "pattern": lambda: re.compile("a+"),
    "match": lambda: re.match("a", "a"),
    "logger": lambda: logging.getLogger("coscope.tests"),
    "handler": logging.NullHandler,
    "module": lambda: json,
    "class": lambda: Session,
    "builtin": lambda: len,
    "builtin type": lambda: int,
    "type of None": lambda: type(None),
    "descriptor": lambda: str.join,
    "slot descriptor": lambda: Slotted.__dict__["handle"],
    "property": lambda: property(plain),
    "static method": lambda: staticmethod(plain),
    "item getter": lambda: operator.itemgetter(1),
    "partial": lambda: functools.partial(plain, 1),
    "partial of a lock": lambda: functools.partial(plain, threading.Lock()),
    "partial of a lambda": lambda: functools.partial(lambda x: x, 1),
    "function": lambda: plain,
    "function that reads a lock": lambda: takes_lock,
    "cached function": lambda: cached,
    "cached local function": wrapped_lock,
    "lambda": lambda: lambda x: x,
    "closure": lambda: make_task([1]),
    "closure of a lock": lambda: make_task(threading.Lock()),
    "closure of a deep lock": lambda: make_task(Session(session=Session(lock=threading.Lock()))),
    "default of a lock": lambda: make_default(threading.Lock()),
    "nested reader of a lock": make_reader_of_lock,
    "function attribute": with_attribute,
    "method": lambda: Session(a=1).run,
    "method of an instance with a lock": lambda: Session(lock=threading.Lock()).run,
    "class method": lambda: dict.fromkeys,
    "generator": generator,
    "coroutine": coroutine,
    "iterator": lambda: iter([1, 2]),
    "keys": lambda: {}.keys(),
    "mapping proxy": lambda: types.MappingProxyType({"a": 1}),
    "namespace": lambda: types.SimpleNamespace(a=1),
    "namespace of a lock": lambda: types.SimpleNamespace(a=threading.Lock()),
    "code": lambda: plain.__code__,
    "cell": lambda: types.CellType(1),
    "frame": sys._getframe,
    "memory view": lambda: memoryview(b"abc"),
    "text buffer": lambda: io.StringIO("x"),
    "byte buffer": lambda: io.BytesIO(b"x"),
    "weak reference": weak,
    "context": open_context,
    "object": object,
    "exception": lambda: ValueError("x", 1),
    "exception of a lock": lambda: ValueError(threading.Lock()),
    "slice": lambda: slice(1, 2),
    "generic alias": lambda: list[int],
    "standard output": lambda: sys.__stdout__,
}
