"""Inside of the command that `coscope show --warm` runs: at its end, the document of one function
with what the interpreter made of each instruction.

`audits.warm` puts a `sitecustomize` before the command's Python, which calls `begin`.
"""

from __future__ import annotations

import gc
import os
import sys
from collections import Counter
from collections.abc import Collection, Iterator
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Any

from coscope.audits.subject.live import functions_of, subjects_of
from coscope.audits.subject.subject import Subject
from coscope.audits.warm import child as warm_child
from coscope.audits.warm.reason import Reason
from coscope.audits.warm.reasons import code_of, reasons_of
from coscope.audits.warm.samples import Seen, recorder, seen_of
from coscope.audits.warm.specialization import State, codes_in, read_sites, specializes, states_of
from coscope.audits.warm.traces import compiled_around, jit_is_on, traces_of
from coscope.errors import InputError, TargetError, TargetNotFound
from coscope.model import Code, Function
from coscope.readers.frames import UNREAD
from coscope.readers.from_function import HOST_RELEASE, from_code_object, from_function
from coscope.readers.from_source import static_function
from coscope.readers.selection import plain
from coscope.readers.targets import locate
from coscope.render.document.report import report
from coscope.render.text.measured import without_surrogates as clean

if TYPE_CHECKING:
    from coscope.render.schemas import report as schema


def begin(settings: dict[str, Any]) -> None:
    """Start to watch; `settings` are those of `audits.warm.execute`, and of the command line
    `target`, `file` and `name` (its parts), `unwrap`, `every` and `fields`."""
    warm_child.begin(settings, _told)


def _told(settings: dict[str, Any]) -> dict[str, Any]:
    """The document, and how much of the code has run here."""
    if not specializes():
        raise InputError(f"CPython {HOST_RELEASE} does not say what it specialised")
    try:
        function, co = _found(settings)
    except TargetError as error:  # in this process; another one may have it
        return {"document": None, "absent": str(error)}
    document = report(
        function,
        target=settings["target"],
        detail="all" if settings["every"] else "first",
        fields=settings["fields"],
    )
    subjects = _subjects(co)
    for entry, each in zip(document["codes"], _tree(co), strict=True):
        if entry["detail"] is not None:
            _add(entry["detail"], each, subjects.get(id(each)))
    watcher = recorder()
    seen: schema.WarmSeen = {"release": HOST_RELEASE, "samples": watcher.samples if watcher else 0}
    return {
        "document": document,
        "seen": seen,
        "ran": sum(site.executions for site in _sites(co)) + _running(co),
    }


def _sites(co: CodeType) -> Iterator[Any]:
    for each in _tree(co):
        yield from read_sites(each, executions=1)


def _running(co: CodeType) -> int:
    """A number that is the higher the more of the code has run."""
    settled = sum(state.state in ("specialized", "missing") for state in states_of(co))
    seen = seen_of(co)
    return settled + (0 if seen is None else 10_000 * seen.samples)


def _found(settings: dict[str, Any]) -> tuple[Function, CodeType]:
    """The target as it lives in this process, and its code object."""
    if settings["file"] is None:
        name = settings["module"]
        if name not in sys.modules:
            main = getattr(getattr(sys.modules.get("__main__"), "__spec__", None), "name", None)
            if main != name:
                raise TargetNotFound(f"the command did not import {name}")
            name = "__main__"
        function = locate(f"{name}:{settings['name']}", unwrap=settings["unwrap"]).function
        if type(function.object) is not FunctionType:
            raise TargetError(f"{settings['target']} is not a function", found=function.code.kind)
        return function, function.object.__code__
    return _in_file(settings["file"], settings["name"])


def _in_file(file: str, name: str) -> tuple[Function, CodeType]:
    wanted, at, line = name.rpartition("@")
    if not at or not line.isdecimal():
        wanted, line = name, ""
    found = [
        (co, function)
        for co, function in codes_in(_functions_in(file))
        if plain(co.co_qualname) == plain(wanted) and (not line or co.co_firstlineno == int(line))
    ]
    if not found:
        raise TargetNotFound(f"no function {name} of that file is alive at the end")
    # Of several the one that ran most: the code object of a definition that ran twice is one.
    co, function = max(found, key=lambda each: _running(each[0]))
    read = from_function(function)
    if co is not function.__code__:
        code = _same(function.__code__, read.code, co)
        read = static_function(code, "live", read.source, read.warnings)
    return read, co


def _functions_in(file: str) -> list[FunctionType]:
    names: dict[str, bool] = {}
    found = []
    for function in gc.get_objects():
        if type(function) is not FunctionType:
            continue
        name = function.__code__.co_filename
        if name not in names:
            names[name] = os.path.abspath(name) == file
        if names[name]:
            found.append(function)
    return found


def _tree(co: CodeType) -> Iterator[CodeType]:
    """A code object and those nested in it, depth first, as the document has them."""
    yield co
    for constant in co.co_consts:
        if type(constant) is CodeType:
            yield from _tree(constant)


def _same(outer: CodeType, code: Code, wanted: CodeType) -> Code:
    """The snapshot of a code object that is nested in another one."""
    return next(
        snapshot for co, snapshot in zip(_tree(outer), code.walk(), strict=True) if co is wanted
    )


def _subjects(co: CodeType) -> dict[int, Subject]:
    """What rules look at, of the code and what is nested in it, by `id()` of the code object."""
    wanted = {id(each) for each in _tree(co)}
    found: dict[int, Subject] = {}
    for package in warm_child.packages_of([], [os.path.abspath(co.co_filename)]):
        functions = [
            function
            for function in functions_of(package)
            if any(id(each) in wanted for each, _ in codes_in([function]))
        ]
        codes = {id(function.__code__) for function in functions}
        subjects = list(subjects_of(package, warm=True, codes=codes))
        subjects += warm_child.nested(subjects, functions)
        for subject in subjects:
            own = code_of(subject)
            if own is not None and id(own) in wanted:
                found.setdefault(id(own), subject)
    return found


def _add(detail: schema.Detail, co: CodeType, subject: Subject | None) -> None:
    """Say of one code object, and of each of its instructions, what became of it."""
    reasons = {} if subject is None else {each.site.offset: each for each in reasons_of(subject)}
    missing = [offset for offset, reason in reasons.items() if not reason.site.generic]
    states = {state.offset: state for state in states_of(co, missing)}
    jit = jit_is_on()
    seen = seen_of(co)
    # CPython drops a trace that is no longer needed, as at the end of the command: those that
    # were seen during the run count too.
    traces = (seen.traces if seen is not None else {}) | traces_of(co)
    jumps = _jumps_back(co) if jit else {}
    for instruction in detail["instructions"]:
        offset = instruction["offset"]
        state = states.get(offset)
        instruction["warm"] = None
        if state is not None:
            instruction["warm"] = {
                "executed": state.executed,
                "state": state.state,
                "counter": state.counter,
                "backoff": state.backoff,
                "executions": state.executions,
                "misses": state.misses,
                **_reason(reasons.get(state.offset)),
                "traced": compiled_around(jumps, traces, offset),
                "machine_code": traces.get(offset),
            }
    detail["warm"] = _summary(seen, states.values(), jit)


def _summary(seen: Seen | None, states: Collection[State], jit: bool | None) -> schema.DetailWarm:
    """What became of a whole code object, and how often it was seen to run."""
    return {
        "samples": 0 if seen is None else seen.samples,
        "running": 0 if seen is None else seen.running,
        "states": dict(Counter(state.state for state in states)),
        "jit": None if jit is None else "on" if jit else "off",
        "unread": UNREAD if seen is not None and seen.unread else None,
    }


def _jumps_back(co: CodeType) -> dict[int, int]:
    """The jumps that end loops: offset -> target, both in bytes."""
    columns = from_code_object(co).instructions
    return {
        offset: target
        for index, offset in enumerate(columns.offsets)
        if (target := columns.jump_target(index)) is not None and target < offset
    }


def _reason(reason: Reason | None) -> schema.WarmReason:
    if reason is None:
        return {"reason": None, "proved": None, "types": []}
    types = [clean(name) for name in reason.types]
    return {"reason": clean(reason.text), "proved": reason.proved, "types": types}
