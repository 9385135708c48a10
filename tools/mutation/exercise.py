"""Run a mutant in every way that its contract allows: calls, steps, exceptions, introspection.

Whatever Python-level exception comes of it is fine.
"""

from __future__ import annotations

import gc
import sys
import traceback
from collections.abc import Callable
from random import Random
from types import (
    AsyncGeneratorType,
    CodeType,
    CoroutineType,
    FunctionType,
    GeneratorType,
    TracebackType,
)
from typing import Any

from coscope.model import Code
from mutation import live, world
from mutation.corpus import Unit
from mutation.watching import WAYS, looked_at, watched

HOT = 40  # calls in a row, so that the interpreter specialises
_OWN = 4  # argument sets of the function itself
_DRAWN = 2  # argument sets from the pool


# What the interpreter says where it has looked: LOAD_NAME in a function, locals of its frame.
_EXPECTED = ("no locals", "frame does not", "bad argument to internal function")
COMPLAINTS: list[str] | None = None  # a list, to collect the messages of SystemErrors


class Stop(BaseException):
    """Time is up. The alarm raises it, wherever the mutant is."""


class Damage(Exception):
    """The mutant ran, but reference counts are wrong behind it."""


# What a reference count is when a tuple alone holds the object.
_PROBE = (object(),)
_LEAST = sys.getrefcount(_PROBE[0])


def exercise(unit: Unit, code: Code, called: bool, seed: int) -> int:
    """Build the code object and run it.

    Args:
        unit: Where it comes from.
        code: The accepted mutant.
        called: Its contract: called, or run with a namespace.
        seed: Of the choice of arguments, and of the runs that are traced.

    Returns:
        How many SystemErrors the interpreter raised: it noticed that something is wrong.

    Raises:
        ValueError: CPython refuses to build it.
        Damage: Reference counts are wrong.
    """
    random = Random(seed)
    built = live.to_live(code)
    run = _Run(unit, built, random)
    if called:
        run.calls()
    else:
        run.bodies()
    run.introspect()
    return run.system_errors


class _Run:
    def __init__(self, unit: Unit, code: CodeType, random: Random) -> None:
        self.unit = unit
        self.code = code
        self.random = random
        self.names = unit.names()
        self.error: BaseException | None = None
        self.system_errors = 0
        self.deeper = 2  # functions that a result may hold are called to this depth

    def calls(self) -> None:
        cells = tuple(_cell(i) for i in range(len(self.code.co_freevars)))
        function = FunctionType(
            self.code, self.names, self.unit.name, self.unit.defaults, cells or None
        )
        function.__kwdefaults__ = self.unit.kwdefaults
        sets: list[Callable[[], tuple[Any, ...]]] = [
            lambda text=text: eval(text, self.names)  # type: ignore[misc]
            for text in self.unit.arguments[:_OWN]
        ]
        iterates = ".0" in self.code.co_varnames[:1]
        count = max(0, self.code.co_argcount - (1 if self.unit.defaults else 0))
        for _ in range(_DRAWN):
            makers = self.random.choices(world.POOL, k=count)
            if iterates and makers:
                makers[0] = lambda: iter([1, [2], "x"])
            sets.append(lambda makers=makers: tuple(make() for make in makers))  # type: ignore[misc]
        for arguments in sets:
            self.call(function, arguments())
        first = sets[0]
        early = self.random.random() < 0.3  # watched before it is warm, or after
        if not early:
            self.hot(function, first)
        way = self.random.choice(WAYS)
        if way != "not":
            watched(way, self.code, lambda: self.call(function, first()))
            self.call(function, first())
        if early:
            self.hot(function, first)
        self.look(function)

    def bodies(self) -> None:
        closure = tuple(_cell(i) for i in range(len(self.code.co_freevars)))
        for _ in range(6):
            try:
                watched(self.random.choice(WAYS), self.code, lambda: self.body(closure))
            except Exception as error:
                self.note(error)
        self.look(self.code)

    def body(self, closure: tuple[Any, ...]) -> None:
        exec(self.code, self.unit.names(), {"__module__": "m"}, closure=closure or None)

    def look(self, function: Any) -> None:
        try:
            looked_at(self.random, function, self.error)
        except Exception as error:
            self.note(error)

    def call(self, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
        try:
            self.consume(function(*arguments))
        except (Exception, GeneratorExit) as error:
            self.note(error)
        for index in range(len(arguments)):
            if sys.getrefcount(arguments[index]) < _LEAST:
                raise Damage(type(arguments[index]).__name__)

    def hot(self, function: Callable[..., Any], arguments: Callable[[], tuple[Any, ...]]) -> None:
        try:
            for _ in range(HOT):
                result = function(*arguments())
                if type(result) is GeneratorType:
                    for _ in zip(range(3), result, strict=False):
                        result.gi_frame  # noqa: B018
                elif type(result) is CoroutineType:
                    result.close()
        except Exception as error:
            self.note(error)

    def consume(self, result: Any) -> None:
        """Use a result according to its type."""
        kind = type(result)
        if kind is GeneratorType:
            self.steps(result, lambda: result.gi_frame)
        elif kind is CoroutineType:
            self.steps(result, lambda: result.cr_frame)
        elif kind is AsyncGeneratorType:
            self.asynchronous_steps(result)
        elif kind is FunctionType:
            self.function(result)
        elif kind in (tuple, list):
            for item in result[:6]:
                if type(item) in _USED:
                    self.consume(item)
        elif kind in (int, str, dict, set, bool):
            repr(result)

    def function(self, function: FunctionType) -> None:
        if self.deeper and function.__globals__ is self.names:
            self.deeper -= 1
            count = function.__code__.co_argcount
            for _ in range(2):
                makers = self.random.choices(world.POOL, k=count)
                self.call(function, tuple(make() for make in makers))
            self.deeper += 1

    def steps(self, made: Any, frame: Callable[[], Any]) -> None:
        """Step through a generator or coroutine; a share is dropped half-way."""
        draw = self.random.random()
        made.send(None)
        world.frame_facts(frame())
        if draw < 0.15:
            return
        if draw < 0.35:
            self.caught(made.throw, ValueError("thrown"))
        elif draw < 0.45:
            self.caught(made.throw, GeneratorExit())
        elif draw < 0.55:
            self.caught(made.close)
        for number in range(6):
            made.send(number if draw < 0.8 else None)
            if number == 2:
                world.frame_facts(frame())
        if draw > 0.9:
            made.close()

    def caught(self, do: Callable[..., Any], *arguments: object) -> None:
        """Do something to a generator and go on with it."""
        try:
            do(*arguments)
        except (Exception, GeneratorExit) as error:
            self.note(error)

    def asynchronous_steps(self, made: Any) -> None:
        draw = self.random.random()
        for number in range(4):
            step = made.asend(number if number else None)
            if draw < 0.1:
                return
            self.until_done(step)
        if draw < 0.3:
            self.until_done(made.athrow(ValueError("thrown")))
        elif draw < 0.8:
            self.until_done(made.aclose())

    def until_done(self, step: Any) -> None:
        try:
            for _ in range(8):
                step.send(None)
        except (StopIteration, StopAsyncIteration):
            return

    def note(self, error: BaseException) -> None:
        self.error = error
        if type(error) is SystemError and not str(error).startswith(_EXPECTED):
            self.system_errors += 1
            if COMPLAINTS is not None:
                COMPLAINTS.append(str(error))

    def introspect(self) -> None:
        """Ask the code object and the last traceback everything."""
        code = self.code
        hash(code), repr(code), code == code.replace(co_name="x")
        list(code.co_lines()), list(code.co_positions()), code.co_code
        consts = code.co_consts
        for index in range(len(consts)):
            if sys.getrefcount(consts[index]) < _LEAST:
                raise Damage(f"constant {index}")
        if self.error is not None:
            tb: TracebackType | None = self.error.__traceback__
            while tb is not None:
                world.frame_facts(tb.tb_frame) if tb.tb_frame.f_globals is self.names else None
                tb.tb_lineno  # noqa: B018
                tb = tb.tb_next
            if self.random.random() < 0.05:
                traceback.format_exception(self.error)
        if self.random.random() < 0.05:
            gc.collect()


_USED = frozenset({GeneratorType, CoroutineType, AsyncGeneratorType, FunctionType})


def _cell(number: int) -> Any:
    value: object = (number, [number], "cell", print, None)[number % 5]
    return (lambda: value).__closure__[0]  # type: ignore[index]
