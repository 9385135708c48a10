"""Pairs of modules that differ in what their function `f` depends on, and in nothing else.

`TOLD` must change the text. `LISTED` must change it or be listed as unknown: what they hold is in
C code, or is state of the process. Each is one expression, a module around it is made.
"""

from __future__ import annotations

_HEAD = {
    "datetime": "import datetime as d\n",
    "decimal": "from decimal import Decimal\n",
    "fractions": "from fractions import Fraction\n",
    "collections": "import collections as c\n",
    "types": "from types import SimpleNamespace, MappingProxyType\n",
    "pathlib": "from pathlib import Path, PurePosixPath\n",
    "uuid": "from uuid import UUID\n",
    "re": "import re\n",
    "functools": "import functools\n",
    "operator": "import operator\n",
    "array": "import array\n",
    "zoneinfo": "from zoneinfo import ZoneInfo\n",
    "ipaddress": "import ipaddress\n",
    "enum": "import enum, http, socket\n",
    "numpy": "import numpy as np\n",
    "contextvars": "import contextvars\n",
    "itertools": "import itertools\n",
    "random": "import random\n",
    "threading": "import threading\n",
    "wrapt": "import wrapt\n",
}

_VALUES = """
datetime | d.date(2024, 1, 2) | d.date(2024, 1, 3)
datetime | d.datetime(2024, 1, 2, 3) | d.datetime(2024, 1, 2, 4)
datetime | d.datetime(2024, 1, 2, 3) | d.datetime(2024, 1, 2, 3, fold=1)
datetime | d.datetime(2024, 1, 2, tzinfo=d.timezone.utc) | d.datetime(2024, 1, 2)
datetime | d.datetime(2024, 1, 2, tzinfo=d.timezone(d.timedelta(hours=1))) \
    | d.datetime(2024, 1, 2, tzinfo=d.timezone(d.timedelta(hours=2)))
datetime | d.timedelta(days=1) | d.timedelta(days=2)
datetime | d.time(1, 2) | d.time(1, 3)
datetime | d.timezone.utc | d.timezone(d.timedelta(hours=1))
datetime | {d.date(2024, 1, 2), d.date(2024, 1, 3)} | {d.date(2024, 1, 2), d.date(2024, 1, 4)}
decimal | Decimal("1.1") | Decimal("1.10")
decimal | [Decimal("1.1")] | [Decimal("1.2")]
fractions | Fraction(1, 2) | Fraction(1, 3)
collections | c.deque([1, 2]) | c.deque([1, 3])
collections | c.deque([1, 2]) | c.deque([1, 2], maxlen=2)
collections | c.OrderedDict(a=1, b=2) | c.OrderedDict(b=2, a=1)
collections | c.OrderedDict(a=1) | c.OrderedDict(a=2)
collections | c.Counter("aab") | c.Counter("abb")
collections | c.defaultdict(list, a=1) | c.defaultdict(list, a=2)
collections | c.defaultdict(list) | c.defaultdict(set)
collections | c.ChainMap({"a": 1}) | c.ChainMap({"a": 2})
collections | c.UserDict(a=1) | c.UserDict(a=2)
collections | c.deque([[1]]) | c.deque([[2]])
types | SimpleNamespace(a=1) | SimpleNamespace(a=2)
types | SimpleNamespace(a=[1]) | SimpleNamespace(a=[2])
types | MappingProxyType({"a": 1}) | MappingProxyType({"a": 2})
- | slice(1, 2) | slice(1, 3)
- | slice([1]) | slice([2])
- | range(3) | range(4)
- | bytearray(b"a") | bytearray(b"b")
- | frozenset({1, "a"}) | frozenset({1, "b"})
- | {1, (2, "a")} | {1, (2, "b")}
- | {int, str} | {int, bytes}
- | {f.__class__: 1} | {f.__class__: 2}
- | "text" | "Text"
- | 1 | True
- | 0.0 | -0.0
- | (1, [2, {3: 4}]) | (1, [2, {3: 5}])
- | [len] | [sum]
- | list[int] | list[str]
pathlib | Path("a") | Path("b")
pathlib | PurePosixPath("a") | PurePosixPath("b")
uuid | UUID(int=1) | UUID(int=2)
re | re.compile("a") | re.compile("b")
re | re.compile("a") | re.compile("a", re.I)
re | re.I | re.M
functools | functools.partial(f, 1) | functools.partial(f, 2)
functools | functools.partial(f, a=1) | functools.partial(f, a=2)
functools | functools.lru_cache(lambda: 1) | functools.lru_cache(lambda: 2)
functools | functools.cached_property(lambda s: 1) | functools.cached_property(lambda s: 2)
functools | functools.partialmethod(f, 1) | functools.partialmethod(f, 2)
functools | functools.partialmethod(f, a=1) | functools.partialmethod(f, a=2)
operator | operator.itemgetter(1) | operator.itemgetter(2)
operator | operator.attrgetter("a") | operator.attrgetter("b")
operator | operator.methodcaller("a", 1) | operator.methodcaller("a", 2)
operator | operator.methodcaller("a", k=1) | operator.methodcaller("a", k=2)
array | array.array("i", [1]) | array.array("i", [2])
array | array.array("i", [1]) | array.array("l", [1])
zoneinfo | ZoneInfo("UTC") | ZoneInfo("GMT")
ipaddress | ipaddress.ip_address("1.2.3.4") | ipaddress.ip_address("1.2.3.5")
ipaddress | ipaddress.ip_network("10.0.0.0/8") | ipaddress.ip_network("10.0.0.0/9")
enum | http.HTTPStatus.OK | http.HTTPStatus.CREATED
enum | socket.AF_INET | socket.AF_UNIX
enum | enum.Enum("E", "A B").A | enum.Enum("E", "A B").B
enum | enum.Enum("E", {"A": 1}).A | enum.Enum("E", {"A": 2}).A
enum | enum.IntFlag("E", "A B").A | enum.IntFlag("E", "A B").B
enum | set(enum.Enum("E", "A B")) | set(enum.Enum("E", "A C"))
numpy | np.array([1, 2]) | np.array([1, 3])
numpy | np.array([1, 2]) | np.array([1.0, 2.0])
numpy | np.array([1, 2]) | np.array([[1, 2]])
numpy | np.zeros(3, "i4") | np.zeros(3, "i8")
numpy | np.float64(1) | np.float64(2)
numpy | np.float32(1) | np.float64(1)
numpy | np.datetime64("2024-01-01") | np.datetime64("2024-01-02")
numpy | np.dtype("i4") | np.dtype("i8")
numpy | np.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")]) \
    | np.array([(1, 3.0)], dtype=[("a", "i4"), ("b", "f8")])
numpy | {"w": np.arange(3)} | {"w": np.arange(4)}
numpy | np.str_("a") | np.str_("b")
"""

_OPAQUE = """
contextvars | contextvars.ContextVar("v", default=1) | contextvars.ContextVar("v", default=2)
itertools | itertools.count(1) | itertools.count(2)
random | random.Random(1) | random.Random(2)
threading | threading.Semaphore(1) | threading.Semaphore(2)
numpy | np.array([1, "a"], dtype=object) | np.array([1, "b"], dtype=object)
numpy | np.random.default_rng(1) | np.random.default_rng(2)
- | memoryview(b"a") | memoryview(b"b")
- | iter([1]) | iter([2])
- | (x for x in [1]) | (x for x in [2])
re | re.match("a", "a") | re.match("b", "b")
"""


def _pairs(text: str) -> list[tuple[str, str, str]]:
    lines = text.replace("\\\n", "").strip().splitlines()
    found = []
    for line in lines:
        head, before, after = (part.strip() for part in line.split(" | "))
        start = _HEAD.get(head, "") + "def f(*a, **k): return K\ndef g(x): return x\nK = "
        found.append(
            (
                head,
                f"{start}{before.replace('(f', '(g')}\n",
                f"{start}{after.replace('(f', '(g')}\n",
            )
        )
    return found


_CLASS = "import functools\nclass K:\n    def base(self, y): return y\n{}\ndef f(*a): return K\n"
_SINGLE = (
    "import functools\nclass K:\n    @functools.singledispatchmethod\n"
    "    def sd(self, arg): return arg\nK.__dict__['sd'].register(int, lambda s, a: a + {})\n"
    "def f(): return K\n"
)
_DISPATCH = (
    "import functools\n@functools.singledispatch\ndef kind(x): return x\n"
    "{}\ndef f(x): return kind(x)\n"
)
_WRAPT = (
    "import wrapt\nLIMIT = {}\n@wrapt.decorator\ndef deco(wrapped, instance, args, kwargs):\n"
    "    return wrapped(*args, **kwargs) + {}\n@deco\ndef helper(x): return x + LIMIT\n"
    "def f(x): return helper(x)\n"
)
_ABC = (
    "import abc\nclass Base(abc.ABC): pass\nclass A: pass\nclass B: pass\n{}\n"
    "def f(x): return isinstance(x, Base)\n"
)
_SLOTS = (
    "class S:\n    __slots__ = ('a',)\n    def __init__(self, a): self.a = a\nK = S({})\n"
    "def f(): return K\n"
)
_DATA = (
    "import dataclasses\n@dataclasses.dataclass\nclass D:\n    x: int\n    y: list\n"
    "K = D(1, [{}])\ndef f(): return K\n"
)
_NAMED = "import typing\nclass N(typing.NamedTuple):\n    x: int\nK = N({})\ndef f(): return K\n"
_WRAPS = (
    "import functools\ndef deco(fn):\n    @functools.wraps(fn)\n    def inner(*a): return fn(*a)\n"
    "    return inner\n@deco\ndef helper(x): return x + {}\ndef f(x): return helper(x)\n"
)
_MANAGER = (
    "import contextlib\n@contextlib.contextmanager\ndef opened():\n    yield {}\n"
    "def f():\n    with opened() as x: return x\n"
)
_INHERITED = (
    "class A:\n    limit = {}\nclass B(A): pass\nclass C(B):\n    def m(self): return self.limit\n"
    "def f(): return C().m()\n"
)
_METHOD = "class A:\n    def __init__(self, k): self.k = k\n    def m(self): return self.k\n"
_BOUND = _METHOD + "run = A({}).m\ndef f(): return run()\n"


def _both(name: str, text: str, before: str, after: str) -> tuple[str, str, str]:
    return name, text.replace("{}", before), text.replace("{}", after)


TOLD: list[tuple[str, str, str]] = [
    *_pairs(_VALUES),
    _both("partialmethod", _CLASS, "    pm = functools.partialmethod(base, 13)",
          "    pm = functools.partialmethod(base, 14)"),
    _both("partialmethod keyword", _CLASS, "    pm = functools.partialmethod(base, y=1)",
          "    pm = functools.partialmethod(base, y=2)"),
    _both("singledispatchmethod", _SINGLE, "1", "2"),
    _both("singledispatch body", _DISPATCH, "kind.register(int, lambda x: 1)",
          "kind.register(int, lambda x: 2)"),
    _both("singledispatch class", _DISPATCH, "kind.register(int, lambda x: 1)",
          "kind.register(str, lambda x: 1)"),
    _both("singledispatch one more", _DISPATCH, "", "kind.register(int, lambda x: 1)"),
    _both("wrapt", _WRAPT, "1", "2"),
    _both("registered with an ABC", _ABC, "Base.register(A)", "Base.register(B)"),
    _both("registered with an ABC or not", _ABC, "", "Base.register(B)"),
    _both("slots", _SLOTS, "1", "2"),
    _both("dataclass", _DATA, "1", "2"),
    _both("namedtuple", _NAMED, "1", "2"),
    _both("functools.wraps", _WRAPS, "1", "2"),
    _both("contextmanager", _MANAGER, "1", "2"),
    _both("attribute of a base", _INHERITED, "1", "2"),
    _both("bound method", _BOUND, "1", "2"),
]  # fmt: skip

_STATE = "{}\ndef f(x): return {}\n"


def _state(imports: str, expression: str) -> str:
    return f"import {imports}\ndef f(x): return {expression}\n"


LISTED: list[tuple[str, str, str]] = _pairs(_OPAQUE)

# Functions that read the state of the process: they must say so.
STATE: list[tuple[str, str]] = [
    (name, _state(*parts))
    for name, *parts in (
        ("decimal context", "decimal", "decimal.getcontext().prec"),
        ("local decimal context", "decimal", "decimal.localcontext()"),
        ("warnings", "warnings", "warnings.warn(x)"),
        ("locale", "locale", "locale.localeconv()"),
        ("locale string", "locale", "locale.str(x)"),
        ("recursion limit", "sys", "sys.getrecursionlimit()"),
        ("folder", "os", "os.getcwd()"),
        ("environment", "os", "os.environ[x]"),
        ("subclasses", "sys", "x.__subclasses__()"),
        ("random", "random", "random.random()"),
        ("logger", "logging", "logging.getLogger(x)"),
        ("modules", "sys", "sys.modules"),
    )
]
