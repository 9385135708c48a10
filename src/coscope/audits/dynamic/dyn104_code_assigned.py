"""A function is given another code object.

`f.__code__ = other` changes what every holder of `f` calls, at once and without a trace in the
source of `f`. The interpreter checks the number of free variables and nothing else: not the
bytecode, not the constants. What it costs on 3.13, PERF210 tells.

    def install(function, code):
        function.__code__ = code

Not reported is an attribute of that name of `self`, and one that is given the code of a module.

Make a new function instead: `coscope.patch` gives a verified copy and leaves the original alone.
"""

from __future__ import annotations

from collections.abc import Iterator

from coscope.audits.prefilter.glances import Glance, uses
from coscope.audits.subject.origins import sources_of
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
    """True of an attribute of that name of what is no function: of self, or for a module's code."""
    taken = subject.takers.get(index)
    if taken is None or len(taken[1]) != 2:
        return False
    value, owner = (sources_of(subject, each) for each in taken[1])
    parent = subject.parent
    if parent is not None and parent.kind == "class body" and subject.code.argcount:
        own = f"the parameter {subject.code.varnames[0]}"
        if [each.text for each in owner] == [own]:
            return True
    calls = {call.index: call for call in subject.calls}
    made = (calls[each.index] for each in value if each.index in calls)
    modules = any((call.path or "").rpartition(".")[2] in _OF_MODULES for call in made)
    return modules or all(each.kind == "constant" for each in value)


_OF_MODULES = ("compile", "loads", "load", "_compile_bytecode", "get_code")
