"""A module with every kind of target, and callables of installed packages."""

from __future__ import annotations

import importlib
import importlib.metadata
import inspect
import random
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

MODULE = '''
import contextlib, dataclasses, enum, functools

def deco(fn):
    @functools.wraps(fn)
    def wrapper(*args, **kwargs):
        return fn(*args, **kwargs)
    return wrapper

def plain(a, b=1, *, c=2):
    """Plain."""
    def nested(x): return x, a
    return nested

@deco
def wrapped(a, b=2): return a

@functools.lru_cache
def cached(a): return a

@functools.singledispatch
def dispatched(a): return a

@dispatched.register
def _(a: int): return a + 1

@contextlib.contextmanager
def managed(a): yield a

async def coroutine(a): return a
def generator(a): yield a

class Meta(type):
    def of_meta(cls, a): return cls

class Base:
    def inherited(self, a): return a

class Kind(Base, metaclass=Meta):
    value = 1
    def method(self, a, b=3): return self, a, b
    @staticmethod
    def static(a): return a
    @classmethod
    def of_class(cls, a): return cls, a
    @property
    def prop(self): return 1
    @functools.cached_property
    def once(self): return 1
    half = functools.partialmethod(method, 1, b=2)
    of_class_half = functools.partialmethod(of_class, 1)
    @functools.singledispatchmethod
    def chosen(self, a, *, deep=False): return a
    @functools.lru_cache
    def cached(self, a): return a
    @deco
    def decorated(self, a): return a
    part = functools.partial(plain, 1)
    length = len
    class Inner:
        def deep(self, a): return a

class Bare(Exception): pass

@dataclasses.dataclass
class Record:
    x: int
    y: list = dataclasses.field(default_factory=list)

class Slots:
    __slots__ = ("held",)
    def __init__(self): self.held = plain

class Caller:
    def __call__(self, a, *, b=1): return a

class Colour(enum.Enum):
    RED = 1
    def shown(self): return self.name

instance = Kind()
instance.own = plain
slots = Slots()
caller = Caller()
record = Record(1)
partial = functools.partial(plain, 1, c=3)
handlers = {"get": instance.method, 1: [plain, (cached, caller)], "plain": plain}
rows = [instance, partial]
local = plain(1)
'''

# What is named, as it comes behind "sample_door:"; each is an expression of Python, too.
LIVE = (
    "plain", "wrapped", "cached", "dispatched", "managed", "coroutine", "generator", "local",
    "Kind.method", "Kind.static", "Kind.of_class", "Kind.prop", "Kind.once", "Kind.half",
    "Kind.of_class_half", "Kind.chosen", "Kind.cached", "Kind.decorated", "Kind.part",
    "Kind.length", "Kind.inherited", "Kind.of_meta", "Kind.Inner.deep",
    "instance.method", "instance.static", "instance.of_class", "instance.half",
    "instance.of_class_half", "instance.chosen", "instance.cached", "instance.decorated",
    "instance.part", "instance.length", "instance.inherited", "instance.own",
    "slots.held", "caller", "caller.__call__", "record.__eq__", "partial", "partial.func",
    "Record.__init__", "Colour.RED.shown", "handlers['get']", "handlers[1][0]",
    "handlers[1][1][0]", "handlers[1][1][1]", 'handlers["plain"]', "rows[0].method", "rows[-1]",
    "Kind", "Bare", "Record", "Colour", "Slots", "Kind.Inner", "instance.method.__func__",
    "wrapped.__wrapped__",
)  # fmt: skip


def write(folder: Path) -> types.ModuleType:
    """Write the module into a folder that is on the path, and import it."""
    (folder / "sample_door.py").write_text(MODULE)
    sys.modules.pop("sample_door", None)
    importlib.invalidate_caches()
    return importlib.import_module("sample_door")


class Named(NamedTuple):
    """A callable, and what names it."""

    text: str  # "package.module:Class.attribute"
    package: str
    owner: Any
    name: str


# Packages of the standard library, beside all that are installed.
_LIBRARY = (
    "asyncio", "json", "logging", "concurrent.futures", "email.message", "http.client",
    "unittest.mock", "xml.dom.minidom", "argparse", "pathlib", "threading", "collections",
)  # fmt: skip


def callables(count: int, seed: int) -> list[Named]:
    """So many callables of as many packages as there are, drawn by a seed."""
    draw = random.Random(seed)
    by_package: dict[str, list[Named]] = {}
    for module in (*sorted(_installed()), *_LIBRARY):
        try:
            importlib.import_module(module)
        except Exception:  # an optional dependency of its own is missing
            continue
        found = sorted(_of_module(module), key=lambda each: each.text)
        draw.shuffle(found)
        by_package[module] = found
    drawn: list[Named] = []
    while len(drawn) < count and any(by_package.values()):
        for found in by_package.values():
            if found:
                drawn.append(found.pop())
    return drawn[:count]


def _installed() -> Iterator[str]:
    for name in importlib.metadata.packages_distributions():
        if name.isidentifier() and not name.startswith("_") and name != "coscope":
            yield name


def _of_module(module: str) -> Iterator[Named]:
    package = module.partition(".")[0]
    for name, value in list(vars(sys.modules[module]).items()):
        if name.startswith("__") or not name.isidentifier():
            continue
        if inspect.isclass(value):
            for attribute in dir(value):
                if _is_callable(value, attribute):
                    yield Named(f"{module}:{name}.{attribute}", package, value, attribute)
        elif inspect.ismodule(value):
            continue
        elif callable(value):
            yield Named(f"{module}:{name}", package, sys.modules[module], name)
        else:
            for attribute in dir(type(value)):
                if _is_callable(value, attribute):
                    yield Named(f"{module}:{name}.{attribute}", package, value, attribute)


def _is_callable(owner: object, name: str) -> bool:
    try:
        return callable(getattr(owner, name)) and name != "__annotate__"
    except Exception:
        return False


def same(one: object, other: object) -> bool:
    """True if two accesses of one attribute gave the same."""
    if one is other:
        return True
    if type(one) is not type(other):
        return False
    if isinstance(one, types.MethodType) and isinstance(other, types.MethodType):
        return one.__func__ is other.__func__ and one.__self__ is other.__self__
    held = getattr(one, "__self__", one), getattr(other, "__self__", other)
    if isinstance(one, (types.BuiltinFunctionType, types.MethodWrapperType)):
        return held[0] is held[1] and one.__name__ == other.__name__  # type: ignore[attr-defined]
    return signature_of(one) == signature_of(other)  # functools makes a new one at each access


def signature_of(thing: Any) -> str:
    """What CPython's `inspect` answers, or the name of its error."""
    try:
        return str(inspect.signature(thing))
    except (ValueError, TypeError) as error:
        return type(error).__name__
