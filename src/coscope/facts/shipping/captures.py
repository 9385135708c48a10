"""What travels with a function when it is shipped to another process: sizes and picklability."""

from __future__ import annotations

import functools
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import islice
from types import FunctionType, MethodType, ModuleType
from typing import Any, NamedTuple

from coscope.errors import TargetError
from coscope.facts.dependencies.depends import last_name
from coscope.facts.dependencies.following import functions_in
from coscope.facts.shipping.cargo import (
    ATOMS,
    Step,
    attributes_of,
    class_name,
    global_reads,
    parts_of,
    parts_of_function,
    path_text,
)
from coscope.facts.shipping.clocks import Clock, Progress
from coscope.facts.shipping.culprits import Culprit, culprits_of
from coscope.facts.shipping.picklability import Expectation, expect
from coscope.facts.shipping.references import CLOUDPICKLE, TOOLS, goes_by_name, name_of
from coscope.facts.shipping.sizes import MOST_OBJECTS, Scale, Size
from coscope.model import Value
from coscope.readers import locate
from coscope.readers.attributes import MISSING, is_a, member
from coscope.readers.values import type_name_of, value_of
from coscope.result import Result

BUDGET = 5.0  # seconds
MOST_CAPTURED = 2000  # objects that are listed

_FOR_SIZES = 0.4  # of the budget


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether one tool takes one object, and if not, what prevents it."""

    tool: str  # "pickle" or "cloudpickle"
    takes: bool | None  # None: not known; the reason says why
    tried: bool  # False: judged by types alone, and so likely at best
    path: tuple[Step, ...] = ()  # from the target to the first culprit, or to what is not known
    culprit: Value | None = None
    reason: str | None = None
    bytes: int | None = None  # of the whole pickle, if one was made

    @property
    def text(self) -> str:
        """The path and the culprit's type: "task -> closure 'pool' -> attribute lock: T"."""
        kind = "" if self.culprit is None else f": {self.culprit.type_name}"
        return path_text(self.path) + kind


@dataclass(frozen=True, slots=True)
class AttributeSize:
    """How much of an object one of its attributes is."""

    name: str
    type_name: str
    size: Size  # deep; what another attribute holds too is counted for both


@dataclass(frozen=True, slots=True)
class Captured:
    """One object that a function takes along."""

    path: tuple[Step, ...]  # from the target; the last step says how it is captured
    value: Value
    by_name: bool  # cloudpickle writes only where to find it
    travels: bool  # False: it would, if the functions on the way to it were sent by value
    size: Size  # a function's is that of its code: what it captures is listed by itself
    verdicts: tuple[Verdict, ...]  # of the object on its own, in the order of `Capture.verdicts`
    attributes: tuple[AttributeSize, ...] = ()  # of an instance, the largest first

    @property
    def kind(self) -> str:
        """How it is captured: one of `parts.STEP_KINDS`."""
        return self.path[-1].kind

    @property
    def name(self) -> str:
        """Of the variable, parameter or attribute that holds it."""
        return self.path[-1].name


@dataclass(frozen=True, slots=True)
class Capture(Result):
    """What `capture` found."""

    name: str
    module: str | None
    value: Value
    by_name: bool  # cloudpickle sends the target as a name: the receiver must have its module
    items: tuple[Captured, ...]  # those nearest to the target first
    travelling: int  # bytes in memory of what travels, shared parts counted once
    listed: int  # bytes of everything in `items`, shared parts counted once
    verdicts: tuple[Verdict, ...]  # of the target as a whole: pickle's, cloudpickle's
    culprits: tuple[Culprit, ...]  # everything in the target that a tool refuses, nearest first
    attributes: tuple[AttributeSize, ...]  # of the target, if it is an instance
    pickled: bool  # pickling was tried, and ran the objects' own code
    budget: float  # seconds that were allowed
    most_objects: int  # that were to be counted for the sizes
    complete: bool  # False: a limit stopped the listing or the sizes
    notes: tuple[str, ...] = ()

    @property
    def stays(self) -> bool:
        """True if no tool takes the target, or is likely to: it cannot travel."""
        return all(verdict.takes is False for verdict in self.verdicts)


class _Found(NamedTuple):
    """A captured object, before it is weighed and judged."""

    path: tuple[Step, ...]
    thing: Any
    travels: bool


def capture(
    target: object,
    *,
    pickle: bool = False,
    budget: float = BUDGET,
    progress: Progress | None = None,
) -> Capture:
    """Report what travels with an object when it is shipped to Dask, Ray, Spark or a process.

    Args:
        target: A live object (function, method, partial, class, any instance), "module:name", or
            what `coscope.read` gave of one.
        pickle: Pickle it with pickle and cloudpickle (if installed) to see what they do. This runs
            the `__reduce__` and `__getstate__` of whatever is captured. Without it nothing runs,
            and the verdicts are judged by types.
        budget: Seconds for sizes, verdicts and search together. Code of an object that does not
            end while it is pickled is not stopped.
        progress: Called now and then with the milliseconds gone, and those allowed.

    Raises:
        TargetError: The target is a file or code object: nothing of it is live.
        TargetNotFound, ImportFailed: See `coscope.read`.

    >>> def make(lock):
    ...     return lambda: lock
    >>> from threading import Lock
    >>> capture(make(Lock())).verdicts[1].text
    "<lambda> -> closure 'lock': _thread.lock"
    """
    clock = Clock(budget, progress)
    thing = _live(target)
    name, module = _name_of(thing)
    start = (Step("target", name),)
    found, complete = _captured(thing, start, clock)
    sizes, travelling, listed = _weighed(found, Clock(budget * _FOR_SIZES, progress))
    judge = _Judge(pickle, clock)
    verdicts = judge.verdicts(thing, start)
    items = [judge.judged(each, size) for each, size in zip(found, sizes, strict=True)]
    culprits = culprits_of(thing, start, clock)
    return Capture(
        name=name,
        module=module,
        value=value_of(thing),
        by_name=_goes_by_name(thing),
        items=tuple(items),
        travelling=travelling,
        listed=listed,
        verdicts=verdicts,
        culprits=culprits.found,
        attributes=_attributes_of(thing, clock),
        pickled=pickle,
        budget=budget,
        most_objects=MOST_OBJECTS,
        complete=complete and culprits.complete and all(size.complete for size in sizes),
        notes=tuple(_notes(thing, found, verdicts, module)),
    )


def _live(target: object) -> object:
    """The live object that a target names."""
    meant = locate(target)
    if not meant.live:
        raise _static(meant.text or meant.function.qualname)
    return meant.thing


def _static(target: str) -> TargetError:
    return TargetError(
        f"nothing of {target} is live, so it captures nothing",
        expected="a live object",
        hint="Give module:name, which imports the module; or call coscope.capture(function).",
    )


def _name_of(thing: object) -> tuple[str, str | None]:
    """What a path calls the target, and its module."""
    if type(thing) is MethodType and type(thing.__func__) is FunctionType:
        thing = thing.__func__
    if type(thing) is FunctionType:
        module, qualname = name_of(thing)
        return last_name(qualname), module
    if is_a(thing, type):
        module, qualname = name_of(thing)
        return qualname, module
    return class_name(type(thing)), None


def _goes_by_name(thing: object) -> bool:
    named = type(thing) is FunctionType or is_a(thing, type) or is_a(thing, ModuleType)
    return named and goes_by_name(thing, CLOUDPICKLE)


def _captured(target: object, start: tuple[Step, ...], clock: Clock) -> tuple[list[_Found], bool]:
    """What the target captures, and what its helpers do; False if a limit stopped the search."""
    found: list[_Found] = []
    pending = deque([_Found(start, target, True)])
    seen = {id(target)}
    home = _home_of(target)
    while pending:
        path, thing, travels = pending.popleft()
        for part in _opened(thing, path, travels):
            if len(found) >= MOST_CAPTURED or clock.over():
                return found, False
            fresh = id(part.thing) not in seen
            seen.add(id(part.thing))
            is_member = part.path[-1].kind == "member"  # of a class, and weighed with it
            if fresh and (is_member or _is_helper(part.thing, home)):
                pending.append(part)
            # A function that is not fresh is a helper that was reached, or the target itself.
            if not is_member and (fresh or type(part.thing) is not FunctionType):
                found.append(part)
    return found, True


def _opened(thing: Any, path: tuple[Step, ...], travels: bool) -> Iterator[_Found]:
    """What one object takes along, as if it were sent by value."""
    travels = travels and not _goes_by_name(thing)
    if type(thing) is FunctionType:
        parts = parts_of_function(thing)
    elif is_a(thing, type):
        for steps, function in functions_in(thing):
            members = tuple(Step("member", name) for name in steps)
            yield _Found((*path, *members), function, travels)
        return
    else:
        parts = parts_of(thing, CLOUDPICKLE)
    for step, part in parts:
        yield _Found((*path, step), part, travels)


def _home_of(target: object) -> object:
    """The globals of the target's function; functions that share them are its helpers."""
    for _ in range(100):
        if type(target) is FunctionType:
            return target.__globals__
        if type(target) is MethodType:
            target = target.__func__
        elif is_a(target, functools.partial):
            target = member(functools.partial, "func", target)
        else:
            return None
    return None


def _is_helper(thing: Any, home: Any) -> bool:
    """True for what is looked into: functions of the target's module, and what goes by value."""
    if type(thing) is MethodType or is_a(thing, functools.partial):
        return True
    if type(thing) is FunctionType:
        return thing.__globals__ is home or not _goes_by_name(thing)
    if not is_a(thing, type):
        return False
    return not _goes_by_name(thing) or (
        home is not None and name_of(thing)[0] == dict.get(home, "__name__")
    )


def _weighed(found: list[_Found], clock: Clock) -> tuple[list[Size], int, int]:
    """The size of each, and the bytes of what travels and of all; what travels is weighed first."""
    scale = Scale(clock)
    sizes: dict[int, Size] = {}
    order = sorted(range(len(found)), key=lambda at: not found[at].travels)
    travelling = 0
    for at in order:
        thing = found[at].thing
        code_only = type(thing) is FunctionType and not _goes_by_name(thing)
        sizes[at] = scale.weigh(thing.__code__ if code_only else thing)
        travelling += sizes[at].added if found[at].travels else 0
    listed = sum(size.added for size in sizes.values())
    return [sizes[at] for at in range(len(found))], travelling, listed


def _attributes_of(thing: object, clock: Clock) -> tuple[AttributeSize, ...]:
    """The sizes of an instance's attributes, the largest first; () of anything else."""
    if (
        id(type(thing)) in ATOMS
        or type(thing) is FunctionType
        or is_a(thing, type)
        or is_a(thing, ModuleType)
    ):
        return ()
    found = [
        AttributeSize(name, type_name_of(value), Scale(clock).weigh(value))
        for name, value in islice(attributes_of(thing), MOST_CAPTURED)
    ]
    return tuple(sorted(found, key=lambda each: -each.size.bytes))


class _Judge:
    """Gives verdicts by trying, or by types where trying was not asked for or is not possible."""

    def __init__(self, tries: bool, clock: Clock) -> None:
        self.clock = clock
        self.tools: tuple[str, ...] = ()
        if tries:
            from coscope.facts.shipping.pickling import is_installed

            self.tools = tuple(tool for tool in TOOLS if is_installed(tool))

    def judged(self, found: _Found, size: Size) -> Captured:
        """A captured object with its verdicts."""
        return Captured(
            found.path,
            value_of(found.thing),
            _goes_by_name(found.thing),
            found.travels,
            size,
            verdicts=self.verdicts(found.thing, found.path),
            attributes=_attributes_of(found.thing, self.clock),
        )

    def verdicts(self, thing: object, path: tuple[Step, ...]) -> tuple[Verdict, ...]:
        """Both tools' verdict on an object."""
        return tuple(self._verdict(thing, tool, path) for tool in TOOLS)

    def _verdict(self, thing: object, tool: str, path: tuple[Step, ...]) -> Verdict:
        if tool not in self.tools or self.clock.over():
            return _told(tool, expect(thing, tool, path, self.clock), False)
        if id(type(thing)) in ATOMS and type(thing) is not str and type(thing) is not bytes:
            return Verdict(tool, True, True)
        from coscope.facts.shipping.pickling import try_to_pickle

        found, size = try_to_pickle(thing, tool, path, self.clock)
        return _told(tool, found, True, size if found.takes else None)


def _told(tool: str, found: Expectation, tried: bool, size: int | None = None) -> Verdict:
    culprit = None if found.culprit is MISSING else value_of(found.culprit)
    return Verdict(
        tool=tool,
        takes=found.takes,
        tried=tried,
        path=found.path,
        culprit=culprit,
        reason=found.reason,
        bytes=size,
    )


def _left_out(found: list[_Found]) -> Iterator[tuple[tuple[Step, ...], str]]:
    """Globals that cloudpickle does not see, and the path to the function whose they are."""
    for each in found:
        if each.travels and type(each.thing) is FunctionType and not _goes_by_name(each.thing):
            for name, seen in global_reads(each.thing.__code__).items():
                if not seen and name in each.thing.__globals__:
                    yield each.path, name


def _notes(
    target: object, found: list[_Found], verdicts: tuple[Verdict, ...], module: str | None
) -> Iterator[str]:
    """What a reader should know besides sizes and verdicts."""
    if _goes_by_name(target):
        yield (
            f"both tools send the name alone: the receiver must be able to import {module}. "
            "What is listed travels only if it is sent by value"
        )
    elif module == "__main__" and type(target) is FunctionType and verdicts[0].takes:
        yield "pickle sends the name __main__ alone, and the receiver may have another __main__"
    if find_spec(CLOUDPICKLE) is None:
        yield (
            "cloudpickle is not installed here, so its verdict is inferred from types; "
            "pip install cloudpickle lets --pickle try it"
        )
    for path, name in _left_out([_Found((Step("target", ""),), target, True), *found]):
        whose = "the target" if len(path) == 1 else path_text(path[1:])
        yield (
            f"cloudpickle leaves out global {name!r} of {whose}, which only a class body in it "
            "reads: NameError where it arrives"
        )
