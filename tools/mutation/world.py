"""The world in which mutants run: harmless names, and objects that do something for every opcode.

Nothing here reaches files, processes or signals, since a mutant may call anything that it can name.
"""

from __future__ import annotations

import builtins
import sys
from collections.abc import Callable, Generator
from types import FrameType
from typing import Any

_LOCALS_CRASH = sys.version_info[:2] == (3, 13)
_MODULES = ("math", "collections", "collections.abc", "operator", "typing")

_BUILTINS = (
    "ArithmeticError AssertionError AttributeError BaseException BaseExceptionGroup Ellipsis "
    "Exception ExceptionGroup False GeneratorExit IndexError KeyError KeyboardInterrupt "
    "LookupError NameError None NotImplemented OSError RuntimeError StopAsyncIteration "
    "StopIteration SystemError True TypeError UnboundLocalError ValueError ZeroDivisionError "
    "__build_class__ abs all any bool bytearray bytes callable chr classmethod complex dict "
    "divmod enumerate filter float format frozenset getattr hasattr hash id int isinstance "
    "issubclass iter len list map max min next object ord pow property range repr reversed "
    "round set slice sorted staticmethod str sum super tuple type zip "
)


def _imported(
    name: str,
    globals: Any = None,  # noqa: A002
    locals: Any = None,  # noqa: A002
    fromlist: Any = (),
    level: int = 0,
) -> Any:
    if name not in _MODULES or level:
        raise ImportError(name)
    return __import__(name, None, None, fromlist, 0)


class Odd:
    """Answers to every operator, as number, container, iterator, manager and awaitable."""

    def __init__(self) -> None:
        self.left = 3

    def _same(self, *arguments: object) -> Odd:
        return self

    __add__ = __radd__ = __sub__ = __mul__ = __truediv__ = __floordiv__ = __mod__ = _same
    __pow__ = __and__ = __or__ = __xor__ = __lshift__ = __rshift__ = __iadd__ = __imul__ = _same
    __neg__ = __pos__ = __invert__ = __getitem__ = __enter__ = method = _same
    __matmul__ = __call__ = _same

    @property
    def other(self) -> Odd:
        return self

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return 5

    def __lt__(self, other: object) -> bool:
        return True

    __gt__ = __le__ = __ge__ = __lt__

    def __bool__(self) -> bool:
        return self.left > 0

    def __len__(self) -> int:
        return 2

    def __contains__(self, item: object) -> bool:
        return True

    def __setitem__(self, key: object, value: object) -> None:
        self.left = 2

    def __delitem__(self, key: object) -> None:
        self.left = 1

    def __exit__(self, *what: object) -> bool:
        return self.left > 1

    def __iter__(self) -> Odd:
        self.left = 3
        return self

    def __next__(self) -> int:
        self.left -= 1
        if self.left < 0:
            raise StopIteration(self)
        return self.left

    def __format__(self, spec: str) -> str:
        return spec

    def __await__(self) -> Generator[Any, Any, Any]:
        yield self
        return self


class Plain:
    """A class with a dict and nothing else."""

    method = other = staticmethod(lambda *arguments: 1)
    other.method = other  # type: ignore[attr-defined]


class Point:
    """A class for `match`, with slots."""

    __match_args__ = ("x", "y")
    __slots__ = ("x", "y")

    def __init__(self, x: object, y: object) -> None:
        self.x, self.y = x, y

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Point) and self.x == other.x

    def __hash__(self) -> int:
        return 7


class Manager(list[Any]):
    """A manager that may swallow exceptions."""

    def __init__(self, swallows: object = False) -> None:
        self.swallows = swallows

    def __enter__(self) -> Manager:
        return self

    def __exit__(self, *what: object) -> object:
        self.append(what)
        return self.swallows


class Later:
    """Suspends some times, then gives the number."""

    def __init__(self, times: int) -> None:
        self.times = times

    def __await__(self) -> Generator[Any, Any, Any]:
        yield from range(self.times)
        return self.times


class AsyncManager(list[Any]):
    """An asynchronous manager."""

    def __init__(self, times: int) -> None:
        self.times = times

    async def __aenter__(self) -> AsyncManager:
        await Later(self.times)
        return self

    async def __aexit__(self, *what: object) -> bool:
        await Later(1)
        return self.times > 1


async def ticking(count: int) -> Any:
    """An asynchronous generator."""
    for number in range(count):
        await Later(1)
        yield number


def size_of(value: Any) -> int:
    """The length, or the value if it has none."""
    return len(value) if hasattr(value, "__len__") else int(value)


def print_to(*arguments: object, **options: object) -> object:
    """Takes anything."""
    return arguments, options


def frame_facts(frame: FrameType | None) -> object:
    """What Python code can see of a frame."""
    if frame is None:
        return None
    return locals_of(frame), frame.f_lineno, frame.f_lasti, repr(frame)


def locals_of(frame: FrameType) -> dict[str, Any]:
    """The locals, where to read them is safe.

    3.13.0 crashes on genuine code as well, if an inlined comprehension uses the slot of a cell.
    """
    if _LOCALS_CRASH and frame.f_code.co_cellvars:
        return {}
    return dict(frame.f_locals)


def _locals() -> object:
    """Stands for the builtin of this name."""
    return locals_of(sys._getframe(1))


def peek() -> object:
    """Look at the frame of the caller as a debugger does."""
    return frame_facts(sys._getframe(1))


def current() -> object:
    """The exception that is handled where this is called."""
    return sys.exc_info()


def names() -> dict[str, Any]:
    """Global names for a mutant; a new dict at each call."""
    return dict(_NAMES)


_NAMES: dict[str, Any] = {
    "AsyncManager": AsyncManager,
    "COUNTER": 1234567,
    "Later": Later,
    "Manager": Manager,
    "Odd": Odd,
    "Plain": Plain,
    "Point": Point,
    "__builtins__": {name: getattr(builtins, name) for name in _BUILTINS.split()}
    | {"__import__": _imported, "dir": _locals, "locals": _locals, "vars": _locals},
    "__name__": "mutants",
    "count": size_of,
    "current": current,
    "peek": peek,
    "print_to": print_to,
    "ticking": ticking,
}

# Arguments that any mutant may get: how each is made, afresh for each call.
POOL: tuple[Callable[[], Any], ...] = (
    lambda: None,
    lambda: 3,
    lambda: -1,
    lambda: 2.5,
    lambda: 10**30,
    lambda: True,
    lambda: "text",
    lambda: "",
    lambda: b"ab",
    lambda: [3, 1, 2],
    lambda: (1, (2, 3)),
    lambda: (),
    lambda: {"k": 1, "x": [2]},
    lambda: {1, 2},
    lambda: iter([1, 2, 3]),
    lambda: (x for x in (1, 2)),
    Odd,
    Plain,
    lambda: Point(1, 2),
    lambda: Manager(True),
    lambda: Later(1),
    lambda: ValueError("given"),
    lambda: ValueError,
    lambda: print_to,
    lambda: range(4),
    lambda: ExceptionGroup("given", [ValueError(1), TypeError(2)]),
)
