"""A function is held by its own cell, together with what else it captures.

A nested function that calls itself by name has itself in its closure: function, cell and closure
refer to one another. Counting references never frees them; the cycle collector does, some time
later, or not at all where it is switched off. Until then everything else that the closure captures
lives on. The rule finds it where that is something that the caller has given, and where the
function is called and nothing else: one that is returned, stored or handed on may be meant to live
longer.

    def search(graph, goal):
        def visit(node):                    the cell of visit holds visit
            return any(visit(n) for n in graph[node])
        return visit(goal)                  graph lives until the collector runs

Proved: the closure of the function holds its own cell, and what else is named; nothing in the code
takes it apart. Assumed: no exception does, and the collector runs late.

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
    for name, inner in _own_captors(code):
        others = _given(code, inner)
        store = _store_of(subject, inner) if others else None
        if store is None or _may_outlive(subject, name):
            continue
        others = [each for each in others if each in subject.fact(_required)]  # parses the source
        if not others:
            continue
        yield subject.finding(
            CODE,
            f"each call leaves {name} in a cycle with its own cell, and the caller's "
            f"{_listed(others)} with it",
            store,
            confidence="proved",
            evidence=[
                subject.seen(store),
                f"the free variables of {name} are {', '.join(inner.freevars)}",
            ],
            why="only the cycle collector frees them, some time after the call",
            instead=f"del {name} after its last use, or make it on module level",
        )


def _own_captors(code: Code) -> Iterator[tuple[str, Code]]:
    """The nested functions that capture the variable of their own name."""
    nested = {each.name: each for each in code.consts if isinstance(each, Code)}
    for name in code.cellvars:
        inner = nested.get(name)
        if inner is not None and name in inner.freevars:
            yield name, inner


def _given(code: Code, inner: Code) -> list[str]:
    """The parameters of the code around that a nested function captures."""
    parameters = code.varnames[: code.argcount + code.kwonlyargcount]
    return [each for each in inner.freevars if each in parameters]


def _store_of(subject: Subject, inner: Code) -> int | None:
    """The one instruction that puts a nested function into its cell; None if there are others."""
    stores = _stores(subject, inner.name)
    return stores[0] if len(stores) == 1 and _holds(subject, stores[0], inner) else None


def _may_outlive(subject: Subject, name: str) -> bool:
    """True if a function may be held after the call: another captures it, or it is passed on."""
    if _is_shared(subject.code, name):
        return True
    return not all(_only_calls(subject, inner, name) for inner in subject.code.walk())


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
    """The parameters that every call gives: those without a default, as far as source is known."""
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
