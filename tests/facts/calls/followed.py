"""Callables of every sort that hand a call on, and calls of each: what CPython does is the oracle.

`CALLS` maps a name of this module, dotted, to calls as source text. A call is only ever made where
the bodies do nothing but bind.
"""

import contextlib
import dataclasses
import enum
import functools
import inspect
import typing
from abc import ABC, abstractmethod
from types import GenericAlias
from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")


def target(x, y=2, *, z=3):
    return x


# Decorators


def plain(fn):
    def inner(*args, **kwargs):
        return fn(*args, **kwargs)

    return inner


def wrapped(fn):
    @functools.wraps(fn)
    def inner(*args, **kwargs):
        result = fn(*args, **kwargs)
        return result  # noqa: RET504

    return inner


def logged(fn):
    @functools.wraps(fn)
    def inner(*args, **kwargs):
        message = f"{fn.__name__} {args} {kwargs}"
        len(message)
        try:
            return fn(*args, **kwargs)
        finally:
            len(message)

    return inner


def first_added(fn):
    def inner(*args, **kwargs):
        return fn("first", *args, **kwargs)

    return inner


def keyword_added(fn):
    def inner(*args, **kwargs):
        return fn(*args, z="added", **kwargs)

    return inner


def keyword_set(fn):
    def inner(*args, **kwargs):
        kwargs["z"] = 1
        return fn(*args, **kwargs)

    return inner


def keyword_default(fn):
    def inner(*args, **kwargs):
        kwargs.setdefault("z", 1)
        return fn(*args, **kwargs)

    return inner


def keyword_popped(fn):
    def inner(*args, **kwargs):
        debug = kwargs.pop("debug", False)
        result = fn(*args, **kwargs)
        return result if not debug else (result, debug)

    return inner


def only_positional(fn):
    def inner(*args):
        return fn(*args)

    return inner


def first_dropped(fn):
    def inner(first, *args):
        return fn(*args)

    return inner


def tail(fn):
    def inner(*args, **kwargs):
        return fn(*args[1:], **kwargs)

    return inner


def explicit(fn):
    def inner(x, y=5):
        return fn(x, y)

    return inner


def too_many(fn):
    def inner(x):
        return fn(x, x, x)

    return inner


def caught(fn):
    def inner(*args, **kwargs):
        try:
            return fn(*args, **kwargs)
        except TypeError:
            return None

    return inner


def another_caught(fn):
    def inner(*args, **kwargs):
        try:
            return fn(*args, **kwargs)
        except (ValueError, KeyError):
            return None

    return inner


def raised_again(fn):
    def inner(*args, **kwargs):
        try:
            return fn(*args, **kwargs)
        except Exception as error:
            len(str(error))
            raise

    return inner


class Lock:
    def __enter__(self):
        return self

    def __exit__(self, *error):
        return None


class Suppressing(Lock):
    def __exit__(self, *error):
        return True


LOCK, SUPPRESSING = Lock(), Suppressing()


def locked(fn):
    def inner(*args, **kwargs):
        with LOCK:
            return fn(*args, **kwargs)

    return inner


def with_argument(times):
    def decorator(fn):
        @functools.wraps(fn)
        def inner(*args, **kwargs):
            while True:
                return fn(*args, **kwargs)

        return inner

    return decorator


def awaiting(fn):
    async def inner(*args, **kwargs):
        return await fn(*args, **kwargs)

    return inner


def yielding(fn):
    def inner(*args, **kwargs):
        yield from fn(*args, **kwargs)

    return inner


class Decorator:
    def __init__(self, fn):
        self.fn = fn

    def __call__(self, *args, **kwargs):
        return self.fn(*args, **kwargs)


class Explicit:
    def __init__(self, fn):
        self.fn = fn

    def __call__(self, x, y):
        return self.fn(x, y, z=1)


class Described(Decorator):
    def __get__(self, instance, owner=None):
        return functools.partial(self, instance)


class Slotted:
    __slots__ = ("fn",)

    def __init__(self, fn):
        self.fn = fn

    def __call__(self, *args):
        return self.fn(*args)


by_plain = plain(target)
by_wrapped = wrapped(target)
by_logged = logged(target)
by_first_added = first_added(target)
by_keyword_added = keyword_added(target)
by_keyword_set = keyword_set(target)
by_keyword_default = keyword_default(target)
by_keyword_popped = keyword_popped(target)
by_only_positional = only_positional(target)
by_first_dropped = first_dropped(target)
by_tail = tail(target)
by_explicit = explicit(target)
by_too_many = too_many(target)
by_caught = caught(target)
by_another_caught = another_caught(target)
by_raised_again = raised_again(target)
by_locked = locked(target)
by_argument = with_argument(3)(target)
by_several = plain(logged(keyword_popped(with_argument(2)(target))))
by_decorator = Decorator(target)
by_explicit_instance = Explicit(target)
by_slotted = Slotted(target)
by_decorated_decorator = plain(Decorator(wrapped(target)))


@awaiting
async def by_awaiting(x, *, y=1):
    return x


@yielding
def by_yielding(x, y=1):
    yield x


@contextlib.contextmanager
def by_contextmanager(x, *, y=1):
    yield x


@contextlib.asynccontextmanager
async def by_asynccontextmanager(x, *, y=1):
    yield x


# functools


by_partial = functools.partial(by_wrapped, 1)
by_partial_keyword = functools.partial(by_plain, z=1)
by_partial_of_partial = functools.partial(functools.partial(target, 1), y=2)
by_cache = functools.lru_cache(maxsize=8)(target)
by_cache_of_wrapped = functools.cache(wrapped(target))


def apply(fn, *args):
    return fn(*args)


by_given = functools.partial(apply, target)


@functools.singledispatch
def by_type(x, y=1):
    return x


@by_type.register
def _(x: int, y, z):
    return x


@by_type.register(list)
@by_type.register(tuple)
def _(x, *, deep):
    return x


by_dispatch_of_wrapped = functools.singledispatch(wrapped(target))
by_dispatch_of_wrapped.register(str, plain(lambda text: text))


class Methods:
    def __init__(self, size=1):
        self.size = size

    def method(self, x, y=1):
        return x

    @wrapped
    def decorated(self, x, y=1):
        return x

    @classmethod
    def of_class(cls, x):
        return x

    @classmethod
    @wrapped
    def decorated_of_class(cls, x):
        return x

    @staticmethod
    def static(x):
        return x

    @staticmethod
    @plain
    def decorated_static(x):
        return x

    @functools.lru_cache  # noqa: B019
    def cached(self, x):
        return x

    partial = functools.partial(target, 1)
    partial_static = staticmethod(functools.partial(target, 1))
    whole = functools.partialmethod(method, 1)
    whole_keyword = functools.partialmethod(method, y=3)
    whole_static = functools.partialmethod(static, 1)
    whole_class = functools.partialmethod(of_class, 1)
    whole_cached = functools.partialmethod(cached, 1)
    whole_decorated = functools.partialmethod(decorated, 1)
    instance = Decorator(target)
    described = Described(target)
    builtin = len
    lam = lambda self, x: x  # noqa: E731

    @functools.singledispatchmethod
    def chosen(self, arg, *, deep=False):
        return arg

    @chosen.register
    def _(self, arg: int, other):
        return arg

    @functools.singledispatchmethod
    @classmethod
    def chosen_of_class(cls, arg):
        return arg

    @chosen_of_class.register
    @classmethod
    def _(cls, arg: int, other):
        return arg

    @functools.singledispatchmethod
    @staticmethod
    def chosen_static(arg):
        return arg

    @property
    def prop(self):
        return 1


methods = Methods()
bound = methods.method
bound_of_wrapper = by_wrapped.__get__(1)


class Calls:
    def __call__(self, x, y):
        return x


class CallsStatic:
    @staticmethod
    def __call__(x):
        return x


class CallsClass:
    @classmethod
    def __call__(cls, x):
        return x


class CallsPartial:
    __call__ = functools.partial(target, 1)


class CallsPartialmethod:
    def run(self, x, y):
        return x

    __call__ = functools.partialmethod(run, 1)


class CallsCached:
    @functools.lru_cache  # noqa: B019
    def __call__(self, x):
        return x


class CallsInstance:
    __call__ = Decorator(target)


class CallsDecorated:
    @wrapped
    def __call__(self, x):
        return x


class CallsNothing:
    pass


calls, calls_static, calls_class = Calls(), CallsStatic(), CallsClass()
calls_partial, calls_partialmethod, calls_cached = (
    CallsPartial(),
    CallsPartialmethod(),
    CallsCached(),
)
calls_instance, calls_decorated, calls_nothing = CallsInstance(), CallsDecorated(), CallsNothing()


# Classes


class Plain:
    def __init__(self, x, y=1):
        self.x = x


class Derived(Plain):
    def __init__(self, *args, extra=None, **kwargs):
        super().__init__(*args, **kwargs)


class Further(Derived):
    def __init__(self, x, **kwargs):
        super().__init__(x, **kwargs)


class Mixin:
    def __init__(self, **kwargs):
        super().__init__(**kwargs)


class Mixed(Mixin, Plain):
    pass


class Rootless(Mixin):
    pass


class DecoratedInit:
    @wrapped
    def __init__(self, x):
        self.x = x


class New:
    def __new__(cls, x):
        return super().__new__(cls)


class NewAndInit:
    def __new__(cls, *args, **kwargs):
        self = super().__new__(cls)
        return self  # noqa: RET504

    def __init__(self, x):
        self.x = x


class NewOfAnother:
    def __new__(cls, *args):
        return 1 if args else super().__new__(cls)

    def __init__(self, *args):
        pass


class NewHandsOn:
    def __new__(cls, *args):
        return super().__new__(cls, *args)

    def __init__(self, *args):
        pass


class Nothing:
    pass


class Abstract(ABC):
    @abstractmethod
    def run(self):
        raise NotImplementedError


class Concrete(Abstract):
    def run(self):
        return 1


@dataclasses.dataclass
class Data:
    x: int
    y: int = 2
    z: int = dataclasses.field(default=3, kw_only=True)


@dataclasses.dataclass(slots=True)
class Frozen(Data):
    pass


class Named(NamedTuple):
    x: int
    y: int = 1


class Pair(tuple):
    __slots__ = ()

    def __new__(cls, left, right):
        return super().__new__(cls, (left, right))


class Error(Exception):
    pass


class ErrorWithInit(Exception):
    def __init__(self, code, text=""):
        super().__init__(text)


class ErrorHandsOn(Exception):
    def __init__(self, *args, code=1):
        super().__init__(*args)


class Listed(list):
    def __init__(self, first, second):
        super().__init__()


class Color(enum.Enum):
    RED = 1


class Box(Generic[T]):
    def __init__(self, x, y=1):
        self.x = x


class Aliased:
    __class_getitem__ = classmethod(GenericAlias)

    def __init__(self, x):
        self.x = x


box_of_int = Box[int]
aliased_of_int = Aliased[int]


class Meta(type):
    def __call__(cls, *args, **kwargs):
        return super().__call__(*args, **kwargs)


class ByMeta(metaclass=Meta):
    def __init__(self, x):
        self.x = x


class MetaAdds(type):
    def __call__(cls, *args):
        return super().__call__(0, *args)


class ByMetaAdds(metaclass=MetaAdds):
    def __init__(self, a, b):
        self.a = a


class MetaPlain(type):
    pass


class ByMetaPlain(metaclass=MetaPlain):
    def __init__(self, x):
        self.x = x


class MetaMakes(type):
    def __call__(cls, x):
        return type.__call__(cls, x, 1)

    def make(cls, x):
        return cls(x)


class ByMetaMakes(metaclass=MetaMakes):
    def __init__(self, x, y):
        self.x = x


class Outer:
    class Inner:
        def __init__(self, x):
            self.x = x

        def method(self, a):
            return a

    inner = Inner(1)


class Proto(typing.Protocol):
    def run(self, x): ...


class Runs(Proto):
    def run(self, x):
        return x


runs = Runs()
NESTED = {"outer": Outer}
recursive = plain(lambda n: n)


async def coroutine(x, *, y):
    return x


def generator(x, /, y=1):
    yield x


def defaults(a, b=1, /, c=2, *rest, d, e=5, **more):
    return a


_X = ("", "1", "1, 2", "1, 2, 3", "x=1", "1, z=1", "1, x=1", "y=1", "1, q=1")
_NONE, _ONE, _TWO = ("", "1", "x=1"), ("", "1", "1, 2", "x=1"), ("1", "1, 2", "1, 2, 3", "")
_FEW: tuple[str, ...] = ("", "1", "1, 2", "x=1", "1, y=2")

# Only running code can tell: what a C function, a user's descriptor or a condition does.
OPEN = ("Methods.builtin", "methods.builtin")


def _named(*names: str) -> dict[str, tuple[str, ...]]:
    return dict.fromkeys(names, _FEW)


CALLS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys([name for name in list(globals()) if name.startswith("by_")], _X),
    "by_keyword_popped": (*_X, "1, debug=True"),
    "by_type": ("", "1", "1, 2, 3", "'a'", "'a', 2, 3", "[1]", "[1], deep=1", "(), deep=1", "True"),
    "by_dispatch_of_wrapped": ("'a'", "'a', 1", "1", "1, 2, 3"),
    **_named("target", "plain", "wrapped", "apply", "coroutine", "generator", "recursive", "bound"),
    **_named("bound_of_wrapper", "calls", "calls_static", "calls_class", "calls_partial"),
    **_named("calls_partialmethod", "calls_cached", "calls_instance", "calls_decorated"),
    **_named("calls_nothing", "Plain", "Derived", "Further", "Mixed", "Rootless", "DecoratedInit"),
    **_named("New", "NewAndInit", "NewOfAnother", "NewHandsOn", "Nothing", "Abstract", "Concrete"),
    **_named("Data", "Frozen", "Named", "Pair", "Error", "ErrorWithInit", "ErrorHandsOn", "Listed"),
    **_named("Box", "Aliased", "box_of_int", "aliased_of_int", "ByMeta", "ByMetaAdds"),
    **_named("ByMetaPlain", "ByMetaMakes", "Outer.Inner", "Outer.inner.method", "Runs", "runs.run"),
    "defaults": ("", "1, d=2", "1, 2, 3, 4, 5, d=1, q=2", "1, b=2, d=3", "1", "a=1, d=2"),
    **{
        f"{owner}.{name}": ("", "1", "1, 2", "1, 2, 3", "x=1", "1, y=2", "'a'", "1, 'a'", "1, 1, 1")
        for owner in ("Methods", "methods")
        for name in list(vars(Methods))
        if not name.startswith("_") and name not in ("prop", "described")
    },
}


async def drive(result: object) -> None:
    """Let what a call gave run to its end: a coroutine, a generator."""
    if inspect.iscoroutine(result):
        await result
    elif hasattr(result, "__next__") and hasattr(result, "send"):
        for _ in result:  # type: ignore[attr-defined]
            pass
