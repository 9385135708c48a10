"""A closure or a default keeps a large object alive.

What a cell or a default holds lives as long as the function, and goes wherever the function is
pickled to. Frameworks that ship functions (Ray, Dask, Spark, multiprocessing with cloudpickle)
reject or copy them with all that they hold, and rarely say which variable it is.

    def scorer(frame):                  frame: 800 MB
        columns = list(frame)
        return lambda row: len(frame) and score(row, columns)

The limit is 10 MiB; `capture-limit` in `[tool.coscope]` changes it. Functions, classes and modules
that are found by name do not count.

Capture what is needed (`count = len(frame)`), pass the object as an argument, or hold it by
`weakref`. `coscope capture` shows what a function holds, with paths and sizes.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import FunctionType

from coscope.audits.subject.subject import Subject
from coscope.audits.subject.world import World
from coscope.model import Finding
from coscope.readers.attributes import MISSING
from coscope.readers.values import text_of

CODE = "CLO103"
SEVERITY = "warning"
LIVE = True

_SMALL = (type(None), bool, int, float, complex, type, FunctionType)


def check(subject: Subject) -> Iterator[Finding]:
    live, world = subject.live, subject.unit.world
    if live is None or world is None or live.function is None:
        return
    for what, name, thing in _held(live.function):
        if type(thing) in _SMALL or not world.is_new(thing):
            continue
        size = world.scale.weigh(thing)
        if size.bytes >= subject.options.capture_limit:
            least = "" if size.complete else "at least "
            yield subject.finding(
                CODE,
                f"{what} {name} keeps {least}{_mebibytes(size.bytes)} alive",
                confidence="measured",
                evidence=[f"it holds {text_of(thing)}", f"{size.objects:,} objects were counted"],
                why="it lives as long as the function, and is pickled with it",
                instead="capture what is needed of it, or pass it as an argument",
            )


def _held(function: FunctionType) -> Iterator[tuple[str, str, object]]:
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=False):
        thing = World.contents(cell)
        if thing is not MISSING:
            yield "the captured variable", name, thing
    code = function.__code__
    held = function.__defaults__ or ()
    names = code.co_varnames[max(0, code.co_argcount - len(held)) : code.co_argcount]
    for name, thing in zip(names, held, strict=False):
        yield "the default of", name, thing
    for name, thing in (function.__kwdefaults__ or {}).items():
        yield "the default of", str(name), thing


def _mebibytes(count: int) -> str:
    return f"{count / 2**20:,.1f} MiB"
