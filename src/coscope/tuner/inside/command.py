"""Inside of the command that `coscope tune --test` runs: the forms of a function take turns.

The function gets a few instructions that call one of its forms and add up how long that takes.
Call by call it is the next form's turn; three processes that begin with another form each give each
call to each form once. So what happens to a process, happens to all forms.
"""

from __future__ import annotations

import atexit
import importlib
import inspect
import json
import os
import sys
import threading
import time
from types import CodeType, FunctionType, ModuleType
from typing import Any, Callable, Dict, List, Optional

from coscope.tuner.inside.forms import Fault, Place, copy_of, form_of
from coscope.tuner.inside.measuring import Lines
from coscope.tuner.inside.timing import Clock, clock_of

Settings = Dict[str, Any]  # as they come from the parent, JSON

# What takes the function's place: of the same kind, so that whoever asks gets the same answer.
_BODIES = {
    "function": """\
    def trampoline(*a, **k):
        if 0: %s
        call = "CALL"
        return call(a, k)
""",
    "generator": """\
    def trampoline(*a, **k):
        if 0: %s
        call = "CALL"
        return (yield from call(a, k))
""",
    "coroutine": """\
    async def trampoline(*a, **k):
        if 0: %s
        call = "CALL"
        return await call(a, k)
""",
    "async generator": """\
    async def trampoline(*a, **k):
        if 0: %s
        call = "CALL"
        made = call(a, k)
        step = made.asend(None)
        while True:
            try:
                item = await step
            except StopAsyncIteration:
                return
            try:
                sent = yield item
            except GeneratorExit:
                await made.aclose()
                raise
            except BaseException as error:
                step = made.athrow(error)
            else:
                step = made.asend(sent)
""",
}
_TRAMPOLINE = "def outer(%s):\n%s"
_KINDS = (
    (inspect.CO_ASYNC_GENERATOR, "async generator"),
    (inspect.CO_COROUTINE, "coroutine"),
    (inspect.CO_GENERATOR, "generator"),
)


def begin(settings: Settings) -> None:
    """Wait for the module of the target, and put the form into it."""
    work = _Work(settings)
    name = settings["target"].partition(":")[0]
    if name in sys.modules:
        work.place()
    else:
        sys.meta_path.insert(0, _Finder(name, work))
    owner = os.getpid()

    def finish() -> None:
        if os.getpid() == owner:
            work.write()

    atexit.register(finish)


class _Work:
    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.meter: Optional[Meter] = None
        self.error: Optional[str] = None

    def place(self) -> None:
        """Put the form in place; what fails is reported at the end."""
        try:
            function = Place(self.settings["target"]).function()
            co = function.__code__
            forms = [
                copy_of(co) if text is None else form_of(function, text)
                for text in self.settings["forms"]
            ]
            lines = Lines(forms[0]) if self.settings["count"] else None
            clock = clock_of(self.settings["clock"])
            self.meter = install(function, forms, self.settings["shift"], lines, clock)
        except Fault as fault:
            self.error = str(fault)

    def write(self) -> None:
        """Write what was measured, if this process has used the module."""
        if self.meter is None and self.error is None:
            return
        told: Dict[str, object] = {"error": self.error, "process": time.process_time()}
        if self.meter is not None:
            told.update(self.meter.told())
        path = os.path.join(self.settings["results"], "%d.json" % os.getpid())
        with open(path, "w") as file:
            json.dump(told, file)


class Meter:
    """Calls the forms of a function in turn, and adds up the CPU time of the outermost calls."""

    def __init__(
        self, forms: List[FunctionType], shift: int, lines: Optional[Lines], clock: Clock
    ) -> None:
        self.forms = forms
        self.clock = clock
        self.lines = lines
        self.spent: List[Dict[str, object]] = []
        spent = self.spent

        class Own(threading.local):
            def __init__(self) -> None:
                self.running: Optional[FunctionType] = None
                self.seconds = [0.0] * len(forms)
                self.calls = 0
                spent.append(self.__dict__)

        self.own = Own()
        self.shift = shift

    def __call__(self, a: Any, k: Any) -> object:
        own = self.own
        if own.running is not None:
            return own.running(*a, **k)
        which = (own.calls + self.shift) % len(self.forms)
        own.running = form = self.forms[which]
        lines = self.lines
        clock = self.clock
        started = clock()
        try:
            if lines is None:
                return form(*a, **k)
            return lines.watch(lambda: form(*a, **k))
        finally:
            own.seconds[which] += clock() - started
            own.calls += 1
            own.running = None

    def told(self) -> Dict[str, Any]:
        """The sums over all threads."""
        lines = {} if self.lines is None else self.lines.times
        return {
            "seconds": [sum(each) for each in zip(*(own["seconds"] for own in self.spent))],
            "calls": sum(own["calls"] for own in self.spent),
            "lines": {str(line): times for line, times in lines.items()},
        }


class LazyMeter(Meter):
    """The same for generators and coroutines: the turn is taken when one is made, and the time is
    that of each of its steps."""

    def __call__(self, a: Any, k: Any) -> object:
        own = self.own
        if own.running is not None:
            return own.running(*a, **k)  # made in a step of another one, and part of its time
        which = (own.calls + self.shift) % len(self.forms)
        own.calls += 1
        return _Steps(self, self.forms[which], which, self.forms[which](*a, **k))

    def step(self, form: FunctionType, which: int, act: Callable[[], object]) -> object:
        """One step of what a form has made."""
        own = self.own
        if own.running is not None:
            return act()
        own.running = form
        started = self.clock()
        try:
            return act() if self.lines is None else self.lines.watch(act)
        finally:
            own.seconds[which] += self.clock() - started
            own.running = None


class _Steps:
    """A generator or coroutine, or one step of an asynchronous generator, whose steps are timed."""

    def __init__(self, meter: LazyMeter, form: FunctionType, which: int, held: Any) -> None:
        self.meter, self.form, self.which, self.held = meter, form, which, held

    def __iter__(self) -> Any:
        return self

    def __await__(self) -> Any:
        held = self.held
        # A coroutine has send() and throw() itself; so has a step of an asynchronous generator.
        return self if hasattr(held, "send") else self.of(held.__await__())

    def of(self, held: Any) -> Any:
        """Another thing whose steps count for the same form."""
        return _Steps(self.meter, self.form, self.which, held)

    def __next__(self) -> object:
        return self.send(None)

    def send(self, value: object) -> object:
        return self.meter.step(self.form, self.which, lambda: self.held.send(value))

    def throw(self, *error: Any) -> object:
        return self.meter.step(self.form, self.which, lambda: self.held.throw(*error))

    def close(self) -> object:
        return self.meter.step(self.form, self.which, lambda: self.held.close())

    def asend(self, value: object) -> Any:
        return self.of(self.held.asend(value))

    def athrow(self, error: BaseException) -> Any:
        return self.of(self.held.athrow(error))

    def aclose(self) -> Any:
        return self.of(self.held.aclose())


def install(
    function: FunctionType,
    forms: List[CodeType],
    shift: int,
    lines: Optional[Lines],
    clock: Clock,
) -> Meter:
    """Let a function call forms of itself through a meter, whoever holds the function."""
    form = forms[0]
    kind = next((name for flag, name in _KINDS if form.co_flags & flag), "function")
    signature = inspect.signature(function)
    made = [_made(function, each) for each in forms]
    meter = (Meter if kind == "function" else LazyMeter)(made, shift, lines, clock)
    free = ", ".join(form.co_freevars)
    # A cell for each free variable, as the function's closure has them.
    source = _TRAMPOLINE % (free, _BODIES[kind] % (free or "None"))
    outer = compile(source, form.co_filename, "exec").co_consts[0]
    code = next(each for each in outer.co_consts if isinstance(each, CodeType))
    constants = tuple(meter if each == "CALL" else each for each in code.co_consts)
    function.__code__ = code.replace(
        co_flags=code.co_flags | form.co_flags & inspect.CO_ITERABLE_COROUTINE,
        co_consts=constants,
        co_name=form.co_name,
        co_firstlineno=form.co_firstlineno,
    )
    function.__signature__ = signature  # type: ignore[attr-defined]
    return meter


def _made(function: FunctionType, form: CodeType) -> FunctionType:
    made = FunctionType(
        form, function.__globals__, function.__name__, function.__defaults__, function.__closure__
    )
    made.__kwdefaults__ = function.__kwdefaults__
    return made


class _Finder:
    """Finds one module by the other finders, and does the work when it is loaded."""

    def __init__(self, name: str, work: _Work) -> None:
        self.name = name
        self.work = work

    def find_spec(self, name: str, path: Any, target: Optional[ModuleType] = None) -> Any:
        if name != self.name:
            return None
        for finder in sys.meta_path:
            if finder is self or not hasattr(finder, "find_spec"):
                continue
            spec = finder.find_spec(name, path, target)
            if spec is not None and spec.loader is not None:
                spec.loader = _Loader(spec.loader, self.work)  # type: ignore[assignment]
                return spec
        return None


class _Loader:
    def __init__(self, loader: Any, work: _Work) -> None:
        self.loader = loader
        self.work = work

    def create_module(self, spec: Any) -> Optional[ModuleType]:
        module: Optional[ModuleType] = self.loader.create_module(spec)
        return module

    def exec_module(self, module: ModuleType) -> None:
        spec: Any = module.__spec__
        spec.loader = module.__loader__ = self.loader
        run: Callable[[ModuleType], None] = self.loader.exec_module
        run(module)
        importlib.import_module(module.__name__)
        self.work.place()
