"""A hook is installed that the interpreter calls for every call, line or instruction.

`sys.settrace` and `sys.setprofile` slow every function of the thread, and replace the hook of a
debugger or of coverage that was there before. `sys.monitoring` (3.12+) costs only where events are
asked for, and gives each tool a number of its own; a number that is not given back is taken for
the rest of the process. Taking a hook away (`sys.settrace(None)`) or putting back what
`sys.gettrace()` gave is not reported.

    sys.settrace(watch)
    run()
    sys.settrace(None)           not reached if run() raises

Restore what was there before in a `finally`; from 3.12 use `sys.monitoring` with a free tool id.
"""

from __future__ import annotations

from collections.abc import Iterator

from coscope.audits.facts import Subject
from coscope.audits.facts_flow import Origin, sources_of
from coscope.audits.facts_names import callee_of
from coscope.audits.selection import holds_for
from coscope.model import Finding

CODE = "DYN107"
SEVERITY = "info"
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


def check(subject: Subject) -> Iterator[Finding]:
    for call in subject.calls:
        name = callee_of(subject, call)
        if name not in _TRACERS and name not in _MONITORS:
            continue
        last = call.positional[-1:] or (frozenset(),)
        given = sources_of(subject, last[0])
        if given and all(map(_ends_watching, given)):
            continue
        tracer = name in _TRACERS
        yield subject.finding(
            CODE,
            f"{name} installs a hook of the interpreter",
            call.index,
            evidence=[f"it is given {source.text}" for source in given],
            why=_why(subject.version, tracer),
            instead="restore the hook that was there before, in a finally" if tracer else "",
        )


_FORMER = ("gettrace()", "getprofile()", "get_events(", "settrace(", "setprofile(")


def _ends_watching(source: Origin) -> bool:
    """True of None, of no events, and of a hook that was there before."""
    if source.kind == "constant":
        return source.text in ("None", "0")
    return source.kind == "call" and any(name in source.text for name in _FORMER)


def _why(version: str, tracer: bool) -> str:
    if not tracer:
        return "the tool id stays taken until it is given back by sys.monitoring.free_tool_id"
    text = (
        "it slows every call of the thread and takes the place of a debugger's or coverage's hook"
    )
    return f"{text}; sys.monitoring does neither" if holds_for("3.12-", version) else text
