"""A function is held by its own cell, together with what else it captures.

A nested function that calls itself by name has itself in its closure: function, cell and closure
refer to one another. Counting references never frees them; the cycle collector does, some time
later, or not at all where it is switched off. Until then everything else that the closure captures
lives on. The rule reports it where that is something that the caller has given, and where the
function is called and nothing else: one that is returned, stored or handed on may be meant to live
longer.

    def search(graph, goal):
        def visit(node):                    the cell of visit holds visit
            return any(visit(n) for n in graph[node])
        return visit(goal)                  graph lives until the collector runs

Make the function on module level and pass what it needs, or end the cycle before you leave: `del
visit` after the last use.
"""

from __future__ import annotations

from collections.abc import Iterator

from coscope.audits.closure.functions import function_made
from coscope.audits.prefilter.cells import parameters_of
from coscope.audits.prefilter.glances import Glance, cells_of, free_of, name_of, nested_in
from coscope.audits.subject.subject import Subject
from coscope.facts.names.uses import uses_of
from coscope.model import Code, Finding
from coscope.readers.sources import defaults_in

CODE = "CLO104"
SEVERITY = "info"
CELLS = True
OPNAMES = frozenset({"STORE_DEREF"})


def may_find(seen: Glance) -> bool:
    cells, given = cells_of(seen.code), parameters_of(seen.code)
    return any(
        name_of(each) in cells
        and name_of(each) in free_of(each)
        and given.intersection(free_of(each))
        for each in nested_in(seen.code)
    )


def check(subject: Subject) -> Iterator[Finding]:
    code = subject.code
    if code.kind in ("module", "class body") or not code.cellvars:
        return
    nested = {each.name: each for each in code.consts if isinstance(each, Code)}
    names = [name for name in code.cellvars if name in nested and name in nested[name].freevars]
    parameters = code.varnames[: code.argcount + code.kwonlyargcount]
    for name in names:
        stores = _stores(subject, name)
        others = [each for each in nested[name].freevars if each in parameters]
        if len(stores) != 1 or not others or not _holds(subject, stores[0], nested[name]):
            continue
        if _is_shared(code, name) or not all(
            _only_calls(subject, inner, name) for inner in code.walk()
        ):
            continue
        others = [each for each in others if each in subject.fact(_required)]  # parses the source
        if not others:
            continue
        yield subject.finding(
            CODE,
            f"each call leaves {name} in a cycle with its own cell, and the caller's "
            f"{_listed(others)} with it",
            stores[0],
            confidence="proved",
            evidence=[
                subject.seen(stores[0]),
                f"the free variables of {name} are {', '.join(nested[name].freevars)}",
            ],
            why="only the cycle collector frees them, some time after the call",
            instead=f"del {name} after its last use, or make it on module level",
        )


def _stores(subject: Subject, name: str) -> list[int]:
    """Instructions that write or empty the cell; [] if one of nested code does."""
    found = []
    for code in subject.code.walk():
        for used, _, use in uses_of(code):
            if used == name and use.access in ("write cell", "delete cell"):
                if code is not subject.code:
                    return []
                found.append(subject.instructions.at(use.offset).index)
    return found


def _required(subject: Subject) -> frozenset[str]:
    """The parameters that every call gives: those without a default, as far as source tells."""
    code, source = subject.code, subject.unit.source
    written = None if source is None else defaults_in(source, code)
    optional = 0 if written is None else len(written.positional)
    named = set() if written is None else {name for name, _ in written.keyword_only}
    only = code.varnames[code.argcount : code.argcount + code.kwonlyargcount]
    return frozenset(code.varnames[: code.argcount - optional]) | (frozenset(only) - named)


def _is_shared(code: Code, name: str) -> bool:
    """True if another function of the code captures it, and may live longer than the call."""
    return any(
        isinstance(each, Code)
        and each.name != name
        and name in each.freevars
        and not each.kind.endswith(("comprehension", "generator expression"))
        for each in code.consts
    )


def _only_calls(subject: Subject, code: Code, name: str) -> bool:
    """True if the code does nothing with the function but call it."""
    inside = subject if code is subject.code else Subject(code, subject.unit)
    reads = {
        inside.instructions.at(use.offset).index
        for used, _, use in uses_of(code)
        if used == name and use.access == "read cell"
    }
    return reads <= {at for call in inside.calls for at in call.callee}


def _holds(subject: Subject, store: int, code: Code) -> bool:
    """True if what is stored is the function itself."""
    taken = subject.takers.get(store)
    return taken is not None and function_made(subject, taken[1][0]) is code


def _listed(names: list[str]) -> str:
    return (
        ", ".join(names) if len(names) < 4 else f"{', '.join(names[:2])} and {len(names) - 2} more"
    )
