"""Families of code that an earlier verifier accepted: how to make one of each, and how it kills.

`python families.py NAME` makes the code object and uses it, in a process that may die of it.
"""

# ruff: noqa: B007, B018, C416, RET504 -- what follows is compiled for its bytecode
from __future__ import annotations

import dis
import sys
import types
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

ALL = ("3.11", "3.12", "3.13", "3.14", "3.15")
BORROWING = ("3.14", "3.15")


class Family(NamedTuple):
    """One family."""

    versions: tuple[str, ...]  # of CPython that are concerned
    rule: str  # that refuses it
    make: Callable[[], types.CodeType]
    use: Callable[[types.CodeType], object]
    # "dies", "hangs", "wrong": it prints what is not so; "asserts": it kills debug builds alone
    ends: str = "dies"


FAMILIES: dict[str, Family] = {}


def _family(
    name: str, versions: tuple[str, ...], rule: str, ends: str = "dies"
) -> Callable[[Callable[[], tuple[Any, Any]]], None]:
    def note(both: Callable[[], tuple[Any, Any]]) -> None:
        FAMILIES[name] = Family(
            versions, rule, lambda: both()[0], lambda code: both()[1](code), ends
        )

    return note


def swapped(code: types.CodeType, old: str, new: str, nth: int = 0) -> types.CodeType:
    """The code with its nth instruction `old` made into `new`, with the same oparg."""
    raw = bytearray(code.co_code)
    places = [each.offset for each in dis.get_instructions(code) if each.opname == old]
    raw[places[nth]] = dis.opmap[new]
    return code.replace(co_code=bytes(raw))


def assembled(
    like: types.CodeType, *pairs: tuple[str, int], columns: bool = True, **fields: Any
) -> types.CodeType:
    """Code of these instructions, in all else like another one."""
    raw = b"".join(
        bytes([dis.opmap[name], oparg]) + bytes(2 * _caches(name)) for name, oparg in pairs
    )
    lines = b""
    left = len(raw) // 2
    while left:
        count = min(8, left)
        lines += bytes([0xF8 | count - 1])
        left -= count
    fields = {"co_linetable": lines, "co_exceptiontable": b"", **fields}
    return like.replace(co_code=raw, **fields)


def _caches(name: str) -> int:
    entries: Any = dis._inline_cache_entries  # type: ignore[attr-defined]
    return int(entries[dis.opmap[name]] if isinstance(entries, list) else entries.get(name, 0))


def _called(code: types.CodeType, *arguments: Any, closure: Any = None) -> None:
    function = types.FunctionType(code, {"__builtins__": __builtins__}, "f", None, closure)
    for _ in range(200):
        result = function(*arguments)
        if isinstance(result, Iterator):
            list(result)


class _Fresh:
    def m(self, y: object) -> object:
        return [[] for _ in range(50)], repr(self), self.__dict__

    def __enter__(self) -> object:
        return [[] for _ in range(50)], repr(self), self.__dict__

    def __exit__(self, *what: object) -> object:
        return [[] for _ in range(50)], repr(self), self.__dict__


@_family("a method of a borrowed owner", BORROWING, "VER951")
def _() -> tuple[Any, Any]:
    def f(make: Any) -> object:
        x = make()
        return x.m(x := None)

    return swapped(f.__code__, "LOAD_FAST", "LOAD_FAST_BORROW"), lambda c: _called(c, _Fresh)


@_family("a context manager that is borrowed", BORROWING, "VER951")
def _() -> tuple[Any, Any]:
    def f(make: Any) -> object:
        x = make()
        with x:
            x = None
            y = [[] for _ in range(50)]
            return y

    code = f.__code__
    if "LOAD_FAST" in [each.opname for each in dis.get_instructions(code)]:
        code = swapped(code, "LOAD_FAST", "LOAD_FAST_BORROW")
    return code, lambda c: _called(c, _Fresh)


@_family("text that is formatted as it is", BORROWING, "VER951", "wrong")
def _() -> tuple[Any, Any]:
    def f(make: Any) -> object:
        x = make("y" * 100)
        return f"{x}{(x := None)}{[bytes(200 + n) for n in range(9)]}"

    def use(code: types.CodeType) -> None:
        try:
            _called(code, "z".join)
        except TypeError:  # the memory of the text holds bytes now
            print("wrong")

    return swapped(f.__code__, "LOAD_FAST", "LOAD_FAST_BORROW"), use


@_family("a delegate that is borrowed", ("3.14",), "VER951", "asserts")
def _() -> tuple[Any, Any]:
    def f(make: Any) -> Any:
        x = make()
        yield from x
        return x

    def numbers() -> Any:
        yield from (1, 2)

    code = f.__code__
    loads = [each.opname for each in dis.get_instructions(code)]
    if "LOAD_FAST" in loads:
        code = swapped(code, "LOAD_FAST", "LOAD_FAST_BORROW")
    raw = bytearray(code.co_code)
    at = next(each.offset for each in dis.get_instructions(code) if each.opname == "SEND")
    # The value sent first is put into x instead: None, and x is let go.
    raw[at - 2] = dis.opmap["LOAD_CONST"]
    new = bytes(raw[:at]) + bytes([dis.opmap["COPY"], 1, dis.opmap["STORE_FAST"], 1])
    code = code.replace(
        co_code=new + bytes(raw[at:]),
        co_stacksize=code.co_stacksize + 2,
        co_linetable=code.co_linetable + bytes([0xF8 | 1]),
        co_exceptiontable=b"",
    )
    return code, lambda c: _called(c, numbers)


@_family("an iterated list that is borrowed", ("3.15",), "VER952")
def _() -> tuple[Any, Any]:
    def f(make: Any) -> object:
        x = make()
        for y in x:
            x = None
            z = [[] for _ in range(50)]
        return y, z

    code = f.__code__
    if "LOAD_FAST" in [each.opname for each in dis.get_instructions(code)]:
        code = swapped(code, "LOAD_FAST", "LOAD_FAST_BORROW")
    return code, lambda c: _called(c, lambda: [_Fresh() for _ in range(5)])


@_family("an instruction that raises before RESUME", ("3.15",), "VER605")
def _() -> tuple[Any, Any]:
    def f(x: object) -> object:
        return x

    def watched(code: types.CodeType) -> None:
        monitoring = sys.monitoring  # type: ignore[attr-defined,unused-ignore]
        monitoring.use_tool_id(3, "watch")
        monitoring.register_callback(3, monitoring.events.RAISE, lambda *what: None)
        monitoring.register_callback(3, monitoring.events.LINE, lambda *what: None)
        monitoring.set_events(3, monitoring.events.RAISE | monitoring.events.LINE)
        function = types.FunctionType(code, {})
        for _ in range(50):
            try:
                function(1)
            except RuntimeError:
                continue

    pairs = [("RAISE_VARARGS", 0), ("RESUME", 0), ("LOAD_CONST", 0), ("RETURN_VALUE", 0)]
    return assembled(f.__code__, *pairs, co_consts=(None,)), watched


class _Base:
    def m(self, y: object) -> object:
        lambda: self
        self = y  # type: ignore[assignment]
        return super()


@_family("a value in the slot of a captured argument", ALL, "VER412")
def _() -> tuple[Any, Any]:
    method = _Base.m
    code = swapped(method.__code__, "STORE_DEREF", "STORE_FAST")
    if sys.version_info >= (3, 14):
        code = swapped(code, "LOAD_FAST_BORROW", "LOAD_FAST", 1)
    return code, lambda c: _called(c, 1, 6, closure=method.__closure__)


@_family("a cell that is put away and dropped", ("3.12", "3.13", "3.14", "3.15"), "VER412")
def _() -> tuple[Any, Any]:
    class Inner:
        def m(self) -> object:
            lambda: self
            id([self for self in (3,)])
            return super()

    method: Any = Inner.m
    code = method.__code__
    # What the comprehension stores back at its end is the list instead of the cell.
    raw = bytearray(code.co_code)
    stores = [
        (each.offset, before.offset)
        for before, each in zip(
            list(dis.get_instructions(code)), list(dis.get_instructions(code))[1:], strict=False
        )
        if each.opname == "STORE_FAST" and before.opname == "SWAP"
    ]
    _, swap = stores[0]
    raw[swap] = dis.opmap["NOP"]
    raw[swap + 1] = 0
    return code.replace(co_code=bytes(raw)), lambda c: _called(c, 1, closure=method.__closure__)


@_family(
    "a type alias of what is no function", ("3.12", "3.13", "3.14", "3.15"), "VER403", "asserts"
)
def _() -> tuple[Any, Any]:
    def f() -> object:
        return None

    def use(code: types.CodeType) -> None:
        alias: Any = types.FunctionType(code, {})()
        print(repr(alias), alias.__module__, alias.__value__)

    values = [("LOAD_CONST", 0), ("LOAD_CONST", 1), ("LOAD_CONST", 2), ("BUILD_TUPLE", 3)]
    pairs = [("RESUME", 0), *values, ("CALL_INTRINSIC_1", 11), ("RETURN_VALUE", 0)]
    made = assembled(f.__code__, *pairs, co_consts=("X", None, 1 << 70), co_stacksize=4)
    return made, use


@_family("a frame that is too large to be counted", ALL, "VER804")
def _() -> tuple[Any, Any]:
    def f() -> object:
        return None

    count = 60_000
    pairs = [("RESUME", 0), *[("LOAD_CONST", 0)] * count, ("EXTENDED_ARG", count >> 8)]
    pairs += [("BUILD_TUPLE", count & 255), ("RETURN_VALUE", 0)]
    return assembled(f.__code__, *pairs, co_consts=(None,), co_stacksize=268_435_391), _called


@_family("a frame for which a chunk is sought for ever", ALL, "VER804", "hangs")
def _() -> tuple[Any, Any]:
    def f() -> object:
        return None

    pairs = [("RESUME", 0), ("LOAD_CONST", 0), ("RETURN_VALUE", 0)]
    return assembled(f.__code__, *pairs, co_consts=(None,), co_stacksize=140_000_000), _called


@_family("one code object with and without defaults", ("3.12",), "VER413")
def _() -> tuple[Any, Any]:
    def mk() -> object:
        def h(a: Any = 0, b: Any = 0) -> object:
            return a

        def k(c: Any = 0, d: Any = 0) -> object:
            return c

        return h, k

    code = mk.__code__
    nested = [at for at, each in enumerate(code.co_consts) if isinstance(each, types.CodeType)]
    raw = bytearray(code.co_code)
    instructions = list(dis.get_instructions(code))
    for at, each in enumerate(instructions):
        if each.opname == "LOAD_CONST" and each.arg == nested[1]:
            raw[each.offset + 1] = nested[0]
        if each.opname == "MAKE_FUNCTION" and at > 4:
            raw[each.offset + 1] &= 6
            for before in instructions[:at]:
                if before.offset > instructions[4].offset and before.argval == (0, 0):
                    raw[before.offset : before.offset + 2] = bytes([dis.opmap["NOP"], 0])

    def use(made: types.CodeType) -> None:
        first, second = types.FunctionType(made, {})()  # type: ignore[misc]

        def site(function: Any) -> object:
            return function()

        for _ in range(100):
            site(first)
        site(second)

    return code.replace(co_code=bytes(raw)), use


@_family("a tuple of nothing", BORROWING, "VER204", "wrong")
def _() -> tuple[Any, Any]:
    def f() -> object:
        return None

    def use(code: types.CodeType) -> None:
        function = types.FunctionType(code, {})
        before = sys.getrefcount(())
        for _ in range(10_000):
            function()
        print("wrong" if sys.getrefcount(()) < before - 9_000 else "right")

    pairs = [("RESUME", 0), ("BUILD_TUPLE", 0), ("RETURN_VALUE", 0)]
    return assembled(f.__code__, *pairs, co_consts=(None,)), use


@_family("a branch on what is no bool", BORROWING, "VER411", "wrong")
def _() -> tuple[Any, Any]:
    def f(x: object) -> object:
        return "true" if x else "false"

    def use(code: types.CodeType) -> None:
        print("wrong" if types.FunctionType(code, {})(0) == "true" else "right")

    raw = bytearray(f.__code__.co_code)
    at = next(each.offset for each in dis.get_instructions(f) if each.opname == "TO_BOOL")
    raw[at : at + 8] = bytes([dis.opmap["NOP"], 0]) * 4
    return f.__code__.replace(co_code=bytes(raw)), use


@_family("a flag of the interpreter's own", ("3.13", "3.14", "3.15"), "VER807", "hangs")
def _() -> tuple[Any, Any]:
    def f(x: object) -> object:
        return [y for y in (x, x)]

    def use(code: types.CodeType) -> None:
        monitoring = sys.monitoring  # type: ignore[attr-defined,unused-ignore]
        monitoring.use_tool_id(3, "watch")
        monitoring.register_callback(3, monitoring.events.LINE, lambda *what: None)
        monitoring.set_events(3, monitoring.events.LINE)
        for _ in range(50):
            types.FunctionType(code, {})(1)

    return f.__code__.replace(co_flags=f.__code__.co_flags | 0x2000000), use


def main() -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (3, 3))
    resource.setrlimit(resource.RLIMIT_AS, (6 << 30, 6 << 30))
    family = FAMILIES[sys.argv[1]]
    family.use(family.make())


if __name__ == "__main__":
    main()
