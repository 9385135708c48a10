"""Decorated functions and classes, for the tests of `signature`. They can all be called."""

# The missing annotations are the point, or beside it.
# mypy: ignore-errors

import abc
import collections
import contextlib
import dataclasses
import functools
import inspect
import typing


def plain(a, b=2, /, c=3, *, d, e=5):
    return a


def faithful(fn):
    @functools.wraps(fn)
    def wrapper(*args, **kwargs):
        return fn(*args, **kwargs)

    return wrapper


def bare(fn):
    def wrapper(*args, **kwargs):
        return fn(*args, **kwargs)

    return wrapper


def inject(fn):
    @functools.wraps(fn)
    def wrapper(*args, **kwargs):
        return fn("connection", *args, **kwargs)

    return wrapper


def inject_by_name(fn):
    @functools.wraps(fn)
    def wrapper(*args, **kwargs):
        return fn(*args, token="secret", **kwargs)

    return wrapper


def drop_keywords(fn):
    @functools.wraps(fn)
    def wrapper(*args):
        return fn(*args)

    return wrapper


def drop_positional(fn):
    @functools.wraps(fn)
    def wrapper(**kwargs):
        return fn(**kwargs)

    return wrapper


def only_first(fn):
    @functools.wraps(fn)
    def wrapper(value):
        return fn(value)

    return wrapper


def takes_more(fn):
    @functools.wraps(fn)
    def wrapper(*args, timeout=10, **kwargs):
        return fn(*args, **kwargs)

    return wrapper


def shifts(fn):
    @functools.wraps(fn)
    def wrapper(first, *args, **kwargs):
        return fn(*args, **kwargs)

    return wrapper


def passes_first(fn):
    @functools.wraps(fn)
    def wrapper(self, *args, **kwargs):
        return fn(self, *args, **kwargs)

    return wrapper


def cleans_up(fn):
    @functools.wraps(fn)
    def wrapper(*args, **kwargs):
        try:
            return fn(1, *args, **kwargs)
        finally:
            len(args)

    return wrapper


def swallows(fn):
    @functools.wraps(fn)
    def wrapper(*args, **kwargs):
        try:
            return fn(1, *args, **kwargs)
        except TypeError:
            return None

    return wrapper


def sometimes(fn):
    @functools.wraps(fn)
    def wrapper(*args, **kwargs):
        if not args:
            return None
        return fn(1, *args, **kwargs)

    return wrapper


def either(fn):
    @functools.wraps(fn)
    def wrapper(*args, **kwargs):
        if args:
            return fn(*args, **kwargs)
        return fn(*args, **kwargs)

    return wrapper


def pops(fn):
    @functools.wraps(fn)
    def wrapper(*args, **kwargs):
        kwargs.pop("debug", None)
        return fn(*args, **kwargs)

    return wrapper


def slices(fn):
    @functools.wraps(fn)
    def wrapper(*args, **kwargs):
        args = args[1:]
        return fn(*args, **kwargs)

    return wrapper


def overrides(fn):
    @functools.wraps(fn)
    def wrapper(*args, **kwargs):
        return fn(*args, **{**kwargs, "b": 1})

    return wrapper


def ignores(fn):
    @functools.wraps(fn)
    def wrapper(*args, **kwargs):
        return None

    return wrapper


def asynchronous(fn):
    @functools.wraps(fn)
    async def wrapper(*args, **kwargs):
        return await fn(1, *args, **kwargs)

    return wrapper


def exhausts(fn):
    @functools.wraps(fn)
    def wrapper(*args, **kwargs):
        return list(fn(*args, **kwargs))

    return wrapper


def own_default(fn):
    @functools.wraps(fn)
    def wrapper(size=20):
        return fn(size)

    return wrapper


def pair(a, b):
    return a


faithful_pair = faithful(pair)
bare_pair = bare(pair)
injected = inject(pair)
twice_injected = inject(inject(pair))
shifted = shifts(pair)
either_pair = either(pair)
popping = pops(pair)
slicing = slices(pair)
overriding = overrides(pair)
cleaning = cleans_up(pair)
swallowing = swallows(pair)
conditional = sometimes(pair)
only = only_first(pair)
more = takes_more(pair)
positional = drop_keywords(pair)
named = drop_positional(pair)
ignoring = ignores(pair)


@inject_by_name
def with_token(a, token, b=1):
    return a


@inject_by_name
def with_token_last(a, *, token, b=1):
    return a


@own_default
def sized(size=10):
    return size


@faithful
async def fetch(url):
    return url


@asynchronous
async def awaited(conn, url):
    return url


@exhausts
def items(count):
    yield count


@contextlib.contextmanager
def managed(a, *, b=1):
    yield a


@functools.lru_cache
def cached(a, b=1):
    return a


@functools.singledispatch
def dispatched(a, b=1):
    return a


class Method:
    def plain(self, a, b=1):
        return a

    @inject
    def injected(self, a):  # the connection goes before self
        return a

    @passes_first
    def kept(self, a):
        return a

    @classmethod
    def of_class(cls, a):
        return a

    @staticmethod
    def static(a):
        return a

    @property
    def value(self):
        return 1

    part = functools.partialmethod(plain, 5)

    def on(self, *args, **kwargs):
        return self.plain(*args, **kwargs)

    @passes_first
    def __eq__(self, other):
        return self is other

    __hash__ = None


class Decorator:
    def __init__(self, fn):
        self.fn = fn
        functools.update_wrapper(self, fn)

    def __call__(self, *args, **kwargs):
        return self.fn(1, *args, **kwargs)


decorated_by_class = Decorator(pair)


class Base:
    def __init__(self, a, *, b=1):
        self.a = a


class Derived(Base):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)


class Further(Derived):
    def __init__(self, extra, *args, **kwargs):
        super().__init__(*args, **kwargs)


class Rootless:
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)


class Made:
    def __new__(cls, a):
        return super().__new__(cls)


class MadeTwice:
    def __new__(cls, a, b=1):
        return super().__new__(cls)

    def __init__(self, a):
        self.a = a


class Empty:
    pass


class Meta(type):
    def __call__(cls, *args, **kwargs):
        return super().__call__(*args, **kwargs)


class OfMeta(metaclass=Meta):
    def __init__(self, a):
        self.a = a


class Abstract(abc.ABC):
    @abc.abstractmethod
    def run(self, a): ...


@dataclasses.dataclass
class Data:
    a: int
    b: int = 1
    c: int = dataclasses.field(default=2, kw_only=True)


class Tuple(typing.NamedTuple):
    a: int
    b: int = 1


Named = collections.namedtuple("Named", "a b")


def untrue(a):
    return a


untrue.__signature__ = inspect.Signature(
    [inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD) for name in "ab"]
)


def true(*args):
    return args[0] if args else None


true.__signature__ = inspect.Signature(
    [inspect.Parameter("args", inspect.Parameter.VAR_POSITIONAL)]
)


def odd(a):
    return a


odd.__signature__ = 7


def computed(a):
    return a


computed.__signature__ = lambda: 1 / 0

partial = functools.partial(plain, 1, d=4)
partial_of_injected = functools.partial(injected, 2)
partial_by_name = functools.partial(pair, a=1)
misfit = functools.partial(pair, 1, 2, 3)
