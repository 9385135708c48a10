"""Hooks on entry, on every way out and before lines; wrapped calls; what tracebacks say."""

from __future__ import annotations

import asyncio
import sys
import traceback
from collections.abc import Coroutine
from contextlib import nullcontext, suppress
from dataclasses import replace
from types import FrameType, FunctionType
from typing import Any

import pytest

from coscope.errors import NothingSelected, PatchError, Refused
from coscope.patcher.applying.apply import apply
from coscope.patcher.edits.model import (
    ANYWHERE,
    AnyEdit,
    InsertCall,
    Literal,
    Outcome,
    Variable,
    Where,
    WrapCall,
    at_line,
    opcode,
    uses,
)
from coscope.readers.from_function import HOST_VERSION, from_code_object
from coscope.verifier import verify
from tests.flow.building import snippet
from tests.patcher.live import patched
from tests.patcher.samples import code_of, function, library

HOOK = Variable("hook")
EXIT = InsertCall(call=HOOK, at="exit", args=(Outcome(),))


def finished(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine that waits for nothing from outside."""
    while True:
        try:
            coroutine.send(None)
        except StopIteration as end:
            return end.value


class Log(list[Any]):
    def __call__(self, *values: Any) -> None:
        self.append(values[0] if len(values) == 1 else values)


def hooked(source: str, *edits: AnyEdit, **namespace: Any) -> tuple[Any, Log, FunctionType]:
    log = Log()
    f = function(source, hook=log, **namespace)
    code = apply(from_code_object(f.__code__), edits)
    assert verify(code).ok
    return patched(f, *edits), log, f


def test_entry_once_however_the_body_loops() -> None:
    edit = InsertCall(call=HOOK, args=(Variable("n"), Literal("in")))
    copy, log, _ = hooked("def f(n):\n while n:\n  n -= 1\n return n", edit)

    assert (0, [(3, "in")]) == (copy(3), log)


@pytest.mark.parametrize(
    ("body", "argument", "expected"),
    [
        ("return a", 5, [5]),
        ("if a: return 'x'", 0, [None]),
        ("for i in range(9):\n  if i == a: return i", 4, [4]),
        ("try: return a\n finally: hook('fin')", 1, ["fin", 1]),
        ("with ctx(): return a", 1, [1]),
    ],
)
def test_every_return(body: str, argument: int, expected: list[Any]) -> None:
    copy, log, f = hooked(f"def f(a):\n {body}", EXIT, ctx=nullcontext)
    value = copy(argument)

    assert expected == log
    assert f(argument) == value


RAISING = """
def f(a):
    try:
        try:
            {0}
        except KeyError as error:
            raise LookupError from error
        finally:
            hook("fin")
    except ArithmeticError:
        return "caught"
"""


@pytest.mark.parametrize(
    ("statement", "expected", "escapes"),
    [
        ("a.missing", ["fin", "AttributeError"], "AttributeError"),
        ("raise KeyError", ["fin", "LookupError"], "LookupError"),
        ("1 / 0", ["fin", "caught"], None),
        ("return a", ["fin", "object"], None),
    ],
)
def test_every_exception_that_escapes(
    statement: str, expected: list[str], escapes: str | None
) -> None:
    copy, log, _ = hooked(RAISING.format(statement), EXIT)
    try:
        copy(object())
        raised = None
    except Exception as error:
        raised = type(error).__name__

    names = [value if isinstance(value, str) else type(value).__name__ for value in log]
    assert (expected, escapes) == (names, raised)


def test_the_traceback_points_where_it_did() -> None:
    source = "def f(a):\n for x in a:\n  with open(x) as y:\n   pass\n return y.read(1 +\n  a.b)"
    copy, _, f = hooked(source, EXIT, InsertCall(call=HOOK))
    found = []
    for each in (f, copy):
        with pytest.raises(OSError, match="nowhere") as caught:
            each(["/nowhere/at/all"])
        positions = [
            (frame.lineno, frame.end_lineno, frame.colno, frame.end_colno)
            for frame in traceback.extract_tb(caught.value.__traceback__)[1:]
        ]
        found += [
            positions,
            [line for _, line in traceback.walk_tb(caught.value.__traceback__)][1:],
        ]

    assert found[:2] == found[2:]


def told(f: FunctionType, *args: Any) -> list[tuple[str, int]]:
    """What a tracer is told of calling the function: events and lines."""
    events: list[tuple[str, int]] = []

    def tracer(frame: FrameType, event: str, _: object) -> Any:
        if frame.f_code is f.__code__:
            events.append((event, frame.f_lineno))
        return tracer

    before = sys.gettrace()
    sys.settrace(tracer)
    try:
        with suppress(ZeroDivisionError):
            list(f(*args))
    finally:
        sys.settrace(before)
    return events


@pytest.mark.parametrize("argument", [0, 1, 3])
@pytest.mark.parametrize(
    "source",
    [
        "def f(n):\n out = []\n for i in range(n):\n  out.append(i)\n return out",
        "def f(n):\n while n:\n  n -= 1\n return ()",
        "def f(n):\n yield 1\n if n:\n  yield n\n return 5",
        "def f(n):\n return [\n  n,\n  n + 1]",
        "def f(n):\n return (n,)",
    ],
)
def test_a_tracer_is_told_of_the_same_lines(source: str, argument: int) -> None:
    copy, log, f = hooked(source, InsertCall(call=HOOK), EXIT)

    assert told(f, argument) == told(copy, argument)
    assert len(log) > 1


def test_a_tracer_is_told_of_the_first_line_when_an_exception_leaves() -> None:
    source = "def f(n):\n n += 1\n 1 / 0"
    plain = [("call", 1), ("line", 2), ("line", 3), ("exception", 3), ("return", 3)]
    seen: list[Any] = []
    f = function(source, hook=lambda error: seen.append(sys._getframe(1).f_lineno))

    assert plain == told(f, 1)
    assert [*plain[:-1], ("line", 1), plain[-1]] == told(patched(f, EXIT), 1)
    assert [1] == seen


def test_the_exception_is_known_while_the_hook_runs_and_not_after() -> None:
    seen: list[Any] = []
    f = function("def f(): 1 / 0", hook=lambda error: seen.append(sys.exc_info()[1] is error))
    copy = patched(f, EXIT)
    try:
        raise KeyError
    except KeyError:
        with pytest.raises(ZeroDivisionError) as caught:
            copy()
        assert isinstance(sys.exc_info()[1], KeyError)

    assert [True] == seen
    assert isinstance(caught.value.__context__, KeyError)


def test_a_hook_that_raises_replaces_the_exception() -> None:
    def hook(error: object) -> None:
        raise RuntimeError("hook")

    f = function("def f(): 1 / 0", hook=hook)
    with pytest.raises(RuntimeError) as caught:
        patched(f, EXIT)()

    assert isinstance(caught.value.__context__, ZeroDivisionError)


GENERATOR = "def f(n):\n for i in range(n):\n  got = yield i\n return 'end'"


def test_yields_and_the_end_of_a_generator() -> None:
    copy, log, _ = hooked(GENERATOR, EXIT)

    assert [0, 1] == list(copy(2))
    assert [0, 1, "end"] == log


@pytest.mark.parametrize(
    "source",
    [GENERATOR, "def f(n):\n yield 0", "def f(n):\n try: yield 0\n finally: n += 1"],
)
def test_a_generator_that_is_closed(source: str) -> None:
    copy, log, _ = hooked(source, EXIT)
    generator = copy(3)
    next(generator)
    generator.close()

    assert [0, "GeneratorExit"] == [log[0], type(log[1]).__name__]
    assert 2 == len(log)


def test_an_exception_thrown_into_a_generator() -> None:
    copy, log, _ = hooked(GENERATOR, EXIT)
    generator = copy(3)
    next(generator)
    with pytest.raises(KeyError):
        generator.throw(KeyError)

    assert [0, "KeyError"] == [log[0], type(log[1]).__name__]


def test_stop_iteration_leaves_a_generator_as_before() -> None:
    copy, log, f = hooked("def f():\n raise StopIteration\n yield", EXIT)
    for each in (f, copy):
        with pytest.raises(RuntimeError, match="generator raised StopIteration"):
            next(each())

    # In 3.11 the conversion is no part of the code: the frame is left first.
    expected = ["StopIteration" if HOST_VERSION == "3.11" else "RuntimeError"]
    assert expected == [type(value).__name__ for value in log]


def test_yield_from_passes_on() -> None:
    copy, log, _ = hooked("def f():\n x = yield from [1, 2]\n return 3", EXIT)

    assert ([1, 2], [3]) == (list(copy()), log)


ASYNC = """
async def f(n):
    async with Ctx() as c:
        async for x in aiter_of(n):
            await sleep(0)
            if x == 2: raise ValueError(x)
    return c
"""


def test_a_coroutine() -> None:
    class Ctx:
        async def __aenter__(self) -> str:
            return "ctx"

        async def __aexit__(self, *rest: object) -> None:
            await asyncio.sleep(0)

    async def aiter_of(n: int) -> Any:
        for i in range(n):
            yield i

    copy, log, _ = hooked(ASYNC, EXIT, Ctx=Ctx, aiter_of=aiter_of, sleep=asyncio.sleep)
    assert "ctx" == finished(copy(2))
    with pytest.raises(ValueError, match="2"):
        finished(copy(3))

    assert ["ctx", "ValueError"] == [log[0], type(log[1]).__name__]


def test_an_async_generator_hands_over_the_value_itself() -> None:
    copy, log, _ = hooked("async def f():\n yield 1\n yield 2", EXIT)

    async def collect() -> list[int]:
        return [value async for value in copy()]

    assert [1, 2] == finished(collect())
    assert [1, 2, None] == log


def test_before_each_run_of_a_line() -> None:
    source = "def f(n):\n total = 0\n for i in range(n):\n  total += i\n return total"
    edit = InsertCall(call=HOOK, args=(Variable("total"),), at="instruction", where=at_line(4))
    copy, log, _ = hooked(source, edit)

    assert (3, [0, 0, 1]) == (copy(3), log)


def test_variables_of_every_kind() -> None:
    source = """
    def make(free):
        def f(plain, cell):
            def g(): return cell
            return [free, g]
        return f
    """
    log = Log()
    f = function(source, hook=log, glob="global")("free")
    args = tuple(Variable(name) for name in ("plain", "cell", "free", "glob"))
    patched(f, InsertCall(call=HOOK, args=args))("plain", "cell")

    assert [("plain", "cell", "free", "global")] == log


def test_a_variable_without_a_value_raises_as_ever() -> None:
    copy, _, _ = hooked("def f():\n later = 1", InsertCall(call=HOOK, args=(Variable("later"),)))

    with pytest.raises(UnboundLocalError):
        copy()


def test_a_class_body() -> None:
    source = "def f():\n class C:\n  x = 1\n return C"
    edit = InsertCall(call=HOOK, args=(Variable("x"),), at="return", code="C")
    copy, log, _ = hooked(source, edit)

    assert (1, [1]) == (copy().x, log)


@pytest.mark.parametrize(
    ("edit", "kind", "words"),
    [
        (InsertCall(call=HOOK, at="yield"), NothingSelected, "there is no yield"),
        (InsertCall(call=HOOK, at="noon"), PatchError, "InsertCall.at is 'entry' or"),
        (InsertCall(call=HOOK, args=(Outcome(),)), PatchError, "no outcome before an exit"),
        (InsertCall(call=HOOK, args=("x",)), PatchError, "InsertCall.args is a tuple of"),  # type: ignore[arg-type]
        (InsertCall(call=Literal([])), Refused, "is not a constant"),
        (
            InsertCall(call=HOOK, at="instruction", where=opcode("RESUME")),
            Refused,
            "nothing can be inserted",
        ),
    ],
)
def test_refusals(edit: InsertCall, kind: type, words: str) -> None:
    code = code_of("def f(a): return a")
    copy = replace(code)
    with pytest.raises(PatchError) as caught:
        apply(code, [edit])

    assert type(caught.value) is kind
    assert words in str(caught.value)
    assert copy == code


def test_old_versions_are_refused() -> None:
    code = snippet("3.10", "functions")["<module>"]
    with pytest.raises(Refused, match="exception table"):
        apply(code, [EXIT])


def test_the_library_verifies_with_hooks() -> None:
    everywhere = [replace(EXIT, nested=True), InsertCall(call=HOOK, nested=True)]
    wrong = [
        module.filename for module in library(31, 4) if not verify(apply(module, everywhere)).ok
    ]

    assert [] == wrong


# Wrapping

WRAPPED = [
    ("g(a)", {}),
    ("a.upper()", {}),
    ("g(a, key=1)", {}),
    ("(g if a else h)(a)", {}),
    ("g(*[a])", {"calls": 0}),
    ("sorted(a, key=lambda c: g(c), reverse=True)", {}),
    ("a.join([a, g(a)])", {"calls": 2}),
    ("super().__str__()", {"method": True}),
]


@pytest.mark.parametrize(("expression", "options"), WRAPPED)
def test_calls_go_through_the_wrapper(expression: str, options: Any) -> None:
    seen = []

    def wrapper(f: Any, *args: Any, **kwargs: Any) -> Any:
        seen.append(f)
        return f(*args, **kwargs)

    def g(value: Any, key: int = 0) -> Any:
        return value

    scope = {"wrap": wrapper, "g": g, "h": g}
    if options.get("method"):
        source = f"class C:\n def f(self, a='ba'):\n  return {expression}\nf = C.f\nobject_ = C()"
        made = function(source + "\nf", **scope)
        f, argument = type(made).f, made
    else:
        f, argument = function(f"def f(a):\n return {expression}", **scope), "ba"
    calls = options.get("calls", 1)
    where = opcode("CALL")
    if options.get("method"):
        where &= Where(nth=-1)  # super() itself looks at the frame that calls it
    both = [WrapCall(wrapper=Variable("wrap"), where=where)]
    if "CALL_KW" in {each.opname for each in from_code_object(f.__code__).instructions}:
        both = [WrapCall(wrapper=Variable("wrap"), where=opcode("CALL_KW"))]
    if not calls:
        with pytest.raises(NothingSelected):
            patched(f, *both)
        return
    expected = f(argument)

    assert expected == patched(f, *both)(argument)
    assert calls == len(seen)
    assert verify(apply(from_code_object(f.__code__), both)).ok


def test_what_is_no_call_of_its_own_is_refused() -> None:
    code = code_of("def f(a):\n with a: pass")
    edit = WrapCall(wrapper=HOOK, where=opcode("CALL") & Where(nth=0))
    with pytest.raises(Refused, match="no place for a wrapper"):
        apply(code, [edit])
    with pytest.raises(Refused, match="is a call with arguments"):
        apply(code, [WrapCall(wrapper=HOOK, where=uses("a"))])
    with pytest.raises(NothingSelected):
        apply(code, [WrapCall(wrapper=HOOK, where=ANYWHERE & at_line(99))])
