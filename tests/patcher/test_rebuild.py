"""`rebuild`: the live function is the model's, byte by byte, and as fast as the original."""

from __future__ import annotations

import ctypes
import dis
import json.decoder
import statistics
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import replace
from types import CodeType, FunctionType
from typing import Any

import pytest

import coscope
from coscope.patcher import verdicts
from coscope.patcher.rebuild import admit, rebuild
from coscope.readers.from_function import from_code_object
from tests.patcher.verbs.closures import factorial, outer

FIELDS = [name for name in dir(CodeType) if name.startswith("co_") and name != "co_lnotab"]


def functions() -> Iterator[FunctionType]:
    for module in (textwrap, statistics, json.decoder):
        for thing in list(vars(module).values()):
            inside = list(vars(thing).values()) if isinstance(thing, type) else [thing]
            yield from (each for each in inside if type(each) is FunctionType)


def alike(a: CodeType, b: CodeType) -> bool:
    """Equal in every field, constants by type and in order."""
    for name in FIELDS:
        first, second = getattr(a, name), getattr(b, name)
        if name == "co_consts":
            pairs = list(zip(first, second, strict=True))
            if not all(alike(x, y) if type(x) is CodeType else x is y for x, y in pairs):
                return False
        elif not callable(first) and first != second:
            return False
    return list(a.co_positions()) == list(b.co_positions())


def test_a_rebuilt_function_has_equal_code_that_is_not_the_same() -> None:
    for function in functions():
        code = from_code_object(function.__code__)
        copy = rebuild(code, function, original=code)

        assert copy.__code__ is not function.__code__
        assert alike(function.__code__, copy.__code__), function


def test_hidden_locals_of_comprehensions_stay_hidden() -> None:
    def maker() -> Any:
        class Local:
            squares = tuple([i * i for i in range(3)])
            names = sorted(locals())

        return Local.names

    assert maker() == coscope.patch(maker, name="other")()


@pytest.mark.skipif(
    not (3, 12) <= sys.version_info < (3, 14) or sys.platform == "emscripten",
    reason="where the version stands in the object is known of 3.12 and 3.13",
)
def test_a_rebuilt_function_has_a_version_so_that_calls_are_specialised() -> None:
    def version(function: FunctionType) -> int:
        return ctypes.c_uint32.from_address(
            id(function) + 17 * ctypes.sizeof(ctypes.c_void_p)
        ).value

    inner: Any = outer(1, 2)
    copy = coscope.patch(inner, cells={"y": 1})
    with_defaults = coscope.patch(lambda a, b=1, *, c=2: a, defaults={"b": 5})
    for _ in range(100):
        copy(1)
        with_defaults(1)

    assert version(copy)
    assert version(with_defaults)


def test_live_constants_come_from_the_original_alone() -> None:
    code = from_code_object(factorial.__code__)
    foreign = replace(code, consts=(*code.consts, coscope.Opaque("list", 1234)))
    with pytest.raises(coscope.Refused, match="live object that the original does not have"):
        rebuild(foreign, factorial)  # type: ignore[arg-type]
    hidden = replace(code, consts=(*code.consts, (code,)))
    with pytest.raises(coscope.Refused):
        rebuild(hidden, factorial)  # type: ignore[arg-type]


def test_specialised_opcodes_of_the_original_are_not_taken_over() -> None:
    for _ in range(50):
        factorial(5)
    copy = rebuild(from_code_object(factorial.__code__), factorial)  # type: ignore[arg-type]

    def running(code: Any) -> list[str]:
        return [each.opname for each in dis.get_instructions(code, adaptive=True)]

    # To 3.12 CPython puts pairs of instructions together in whatever code object it makes.
    assert running(factorial.__code__.replace()) == running(copy)
    assert running(factorial) != running(copy)


def test_a_verdict_is_kept_for_other_plain_constants_alone() -> None:
    verdicts.forget()
    code = from_code_object(factorial.__code__)
    first = verdicts.verdict(code)
    numbers = tuple(8 if type(each) is int else each for each in code.consts)
    other = replace(code, consts=numbers)
    again = verdicts.verdict(other)

    assert again.code is other
    assert first.violations is again.violations
    worse = replace(code, stacksize=0)
    assert not verdicts.verdict(worse).ok
    names = replace(code, consts=tuple((each,) for each in code.consts))
    assert verdicts.verdict(names).code is names


def test_other_bytes_are_decoded_anew() -> None:
    code = from_code_object(factorial.__code__)
    assert len(code.instructions) > 1  # decoded
    raw = bytearray(code.code)
    at = next(each.offset for each in code.instructions if each.opname.startswith("LOAD_FAST"))
    raw[at + 1] = 200
    other = replace(code, code=bytes(raw))

    assert not coscope.verify(other).ok
    with pytest.raises(coscope.NotVerified):
        rebuild(other, factorial)  # type: ignore[arg-type]


class Alike(str):
    """Equal to a string, and another type."""

    def __hash__(self) -> int:
        raise AssertionError("user code runs")


def test_a_verdict_is_not_kept_for_fields_of_another_type() -> None:
    verdicts.forget()
    code = from_code_object(factorial.__code__)
    assert verdicts.verdict(code).ok

    for changes in (
        {"names": tuple(map(Alike, code.names))},
        {"argcount": True},
        {"kwonlyargcount": False},
        {"stacksize": float(code.stacksize)},
        {"linetable": bytearray(code.linetable)},
    ):
        assert not verdicts.verdict(replace(code, **changes)).ok  # type: ignore[arg-type]


def test_only_the_interpreter_may_call_a_comprehensions_code() -> None:
    maker = compile("(x for x in y)", "f", "eval").co_consts[0]
    code = from_code_object(maker)
    report = coscope.verify(code)
    if not report.contract.arguments:
        pytest.skip("from 3.14 the interpreter looks at the argument itself")
    with pytest.raises(coscope.WrongKind, match="only the interpreter"):
        admit(code, maker, closure=(), defaults=())
