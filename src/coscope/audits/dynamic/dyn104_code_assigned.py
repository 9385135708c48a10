"""A function is given another code object.

`f.__code__ = other` changes what every holder of `f` calls, at once and without a trace in the
source of `f`. The interpreter checks the number of free variables and nothing else: not the
bytecode, not the constants. PERF210 reports what it costs on 3.13.

    def install(function, code):
        function.__code__ = code

Not reported is an attribute of that name of `self`, and one that is given the code of a module.

Make a new function instead: `coscope.patch` gives a verified copy and leaves the original alone.
"""

from __future__ import annotations

from collections.abc import Iterator

from coscope.audits.prefilter.glances import Glance, uses
from coscope.audits.subject.origins import Origin, sources_of
from coscope.audits.subject.subject import Subject
from coscope.model import Finding

CODE = "DYN104"
SEVERITY = "warning"
OPNAMES = frozenset({"STORE_ATTR"})
NAMES = frozenset({"__code__"})


def may_find(seen: Glance) -> bool:
    return uses(seen, OPNAMES, NAMES, seen.whole())


def check(subject: Subject) -> Iterator[Finding]:
    for index in subject.where("STORE_ATTR"):
        if subject.instructions.argval(index) == "__code__" and not _is_of_another(subject, index):
            yield subject.finding(
                CODE,
                "the code object of a function is replaced",
                index,
                confidence="likely",
                evidence=[subject.seen(index)],
                why="the code runs unchecked, wherever the function is held",
                instead="make a new function: coscope.patch gives a verified copy",
            )


def _is_of_another(subject: Subject, index: int) -> bool:
    """True if the owner is not a function: it is self, or takes the code of a module."""
    taken = subject.takers.get(index)
    if taken is None or len(taken[1]) != 2:
        return False
    value, owner = (sources_of(subject, each) for each in taken[1])
    return _is_self(subject, owner) or _is_of_module(subject, value)


def _is_self(subject: Subject, owner: tuple[Origin, ...]) -> bool:
    """True for the first parameter of a method."""
    parent = subject.parent
    if parent is None or parent.kind != "class body" or not subject.code.argcount:
        return False
    return [each.text for each in owner] == [f"the parameter {subject.code.varnames[0]}"]


def _is_of_module(subject: Subject, value: tuple[Origin, ...]) -> bool:
    """True for code that was compiled or read as that of a module, and for constants."""
    calls = {call.index: call for call in subject.calls}
    made = (calls[each.index] for each in value if each.index in calls)
    if any((call.path or "").rpartition(".")[2] in _OF_MODULES for call in made):
        return True
    return all(each.kind == "constant" for each in value)


_OF_MODULES = ("compile", "loads", "load", "_compile_bytecode", "get_code")
