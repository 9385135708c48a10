"""A hook is installed that the interpreter calls for every call, line or instruction.

`sys.settrace` and `sys.setprofile` slow every function of the thread, and replace the hook of a
debugger or of coverage that was there before. `sys.monitoring` (3.12+) costs only where events are
asked for, and gives each tool a number of its own; a number that is not given back is taken for
the rest of the process. Reported is what nothing in the same file ever takes away: no
`sys.settrace(None)`, none that puts back what `sys.gettrace()` gave, no `free_tool_id`.

    def start():
        sys.settrace(watch)      for the rest of the thread

Restore what was there before in a `finally`; from 3.12 use `sys.monitoring` with a free tool id.
"""

from __future__ import annotations

from collections.abc import Iterator

from coscope.audits.subject.calls import Call
from coscope.audits.subject.names import callee_of, module_bindings
from coscope.audits.subject.origins import Origin, sources_of
from coscope.audits.subject.subject import Subject, Unit
from coscope.model import Finding
from coscope.opcodes import table

CODE = "DYN107"
SEVERITY = "info"
MODULES = frozenset({"sys", "threading"})
NAMES = frozenset(
    (
        *("settrace", "setprofile", "settrace_all_threads", "setprofile_all_threads"),
        *("set_events", "set_local_events", "use_tool_id"),
    )
)

_TRACERS = frozenset(
    f"{module}.{name}"
    for module in ("sys", "threading")
    for name in ("settrace", "setprofile", "settrace_all_threads", "setprofile_all_threads")
)
_MONITORS = frozenset(
    f"sys.monitoring.{name}" for name in ("set_events", "set_local_events", "use_tool_id")
)


_INSTALLERS = _TRACERS | _MONITORS


def check(subject: Subject) -> Iterator[Finding]:
    for call in subject.calls:
        name = callee_of(subject, call)
        if name is None or name not in _INSTALLERS or _ends(subject, call):
            continue
        tracer = name in _TRACERS
        if name.rpartition(".")[2] in subject.unit.fact(module_bindings):
            continue  # threading itself
        if _is_taken_away(name, subject.unit.fact(_done)):
            continue
        last = call.positional[-1:] or (frozenset(),)
        yield subject.finding(
            CODE,
            f"{name} installs a hook of the interpreter, and nothing here takes it away",
            call.index,
            evidence=[f"it is given {source.text}" for source in sources_of(subject, last[0])],
            why=_why(subject.version, tracer),
            instead="restore the hook that was there before, in a finally"
            if tracer
            else "sys.monitoring.free_tool_id when it is done",
        )


_TAKEN = "sys.monitoring.use_tool_id"
_GIVEN_BACK = "sys.monitoring.free_tool_id"
_EVENTS = _MONITORS - {_TAKEN}
_WORDS = NAMES | {"free_tool_id"}


def _is_taken_away(name: str, done: frozenset[str]) -> bool:
    """True if the file takes the hook away, or has a finding for the tool id that it takes."""
    if name in _TRACERS:
        return name in done
    return _GIVEN_BACK in done or (name in _EVENTS and _TAKEN in done)


def _done(unit: Unit) -> frozenset[str]:
    """The functions by which the file takes hooks away, and whether it takes a tool id."""
    found: set[str] = set()
    for code in unit.code.walk() if unit.code is not None else ():
        if _WORDS.isdisjoint(code.names):
            continue
        inside = Subject(code, unit)
        for call in inside.calls:
            name = callee_of(inside, call)
            if name in (_TAKEN, _GIVEN_BACK) or (name in _TRACERS and _ends(inside, call)):
                found.add(str(name))
    return frozenset(found)


def _ends(subject: Subject, call: Call) -> bool:
    """True if a call takes a hook away, or puts back the one that was there before."""
    last = call.positional[-1:] or (frozenset(),)
    given = sources_of(subject, last[0])
    return bool(given) and all(map(_ends_watching, given))


_FORMER = ("gettrace()", "getprofile()", "get_events(", "settrace(", "setprofile(")


def _ends_watching(source: Origin) -> bool:
    """True for None, for no events, and for a hook that was there before."""
    if source.kind == "constant":
        return source.text in ("None", "0")
    if source.kind == "attribute":
        return any(word in source.text.rpartition(".")[2] for word in _KEPT)
    return source.kind == "call" and any(name in source.text for name in _FORMER)


_KEPT = ("old", "prev", "saved", "orig", "former", "before", "last")  # in names of attributes


def _why(version: str, tracer: bool) -> str:
    if not tracer:
        return "the tool id stays taken until it is given back by sys.monitoring.free_tool_id"
    text = (
        "it slows every call of the thread and takes the place of a debugger's or coverage's hook"
    )
    return f"{text}; sys.monitoring does neither" if table(version).behaves("monitoring") else text
