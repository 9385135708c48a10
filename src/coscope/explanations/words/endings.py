"""Assertions, imports, recursion, generators that end too early."""

from __future__ import annotations

from collections.abc import Iterator

from coscope.explanations.case import Case, built_in, listed, near
from coscope.readers.attributes import MISSING


def recursion(case: Case) -> Iterator[str]:
    """A function that calls itself without an end."""
    if not case.is_a(RecursionError):
        return
    name = case.standing.code.qualname
    yield f"{name} was called again and again before it returned, until the stack was full."
    arguments = case.standing.code.varnames[: case.standing.code.argcount]
    shown = [
        f"{each}={case.redaction.value(each, case.scene.locals[each]).text}"
        for each in arguments[:4]
        if each in case.scene.locals
    ]
    if shown:
        yield f"The innermost call: {', '.join(shown)}."


def ended_generator(case: Case) -> Iterator[str]:
    """StopIteration that leaves a generator, or that `next` raises."""
    if case.is_a(RuntimeError) and case.message.endswith("raised StopIteration"):
        kind = case.message.partition(" ")[0]
        yield f"A `next()` inside the {kind} found nothing, and its StopIteration left the {kind}."
        yield "Give `next` a default, or catch StopIteration and return."
    elif case.is_a(StopIteration) and case.innermost:
        yield "The iterator has no further value; `next` with a default would return that."
    elif case.is_a(StopAsyncIteration) and case.innermost:
        yield "The asynchronous iterator has no further value."


def failed_assertion(case: Case) -> Iterator[str]:
    """What the condition of an `assert` compared."""
    if not case.is_a(AssertionError) or not case.innermost:
        return
    test = tested(case)
    if test is None:
        return
    operands = [each for each in case.taken(test) if "null" not in each.role]
    known = [each for each in operands if each.known is not None]
    for taken in known:
        if taken.text == case.value(taken):
            continue  # a literal
        yield f"{case.named(taken)} is {case.value(taken)}."
        origin = case.since(taken) if taken.node.variable is not None else None
        if origin is not None:
            yield origin


def tested(case: Case) -> int | None:
    """The instruction that made the value that was tested before the failing one; else None."""
    graph = case.standing.graph
    if graph is None:
        return None
    arrivals = graph.arrivals[graph.block_of(case.standing.index).index]
    sources = {edge.source for edge in arrivals if edge.kind in ("true", "false", "next", "jump")}
    if len(sources) != 1:
        return None
    last = graph.blocks[sources.pop()].stop - 1
    while last >= 0:
        row = case.standing.effect(last).row
        if row.tests is None and row.name not in ("TO_BOOL", "UNARY_NOT", "NOT_TAKEN"):
            break
        taken = case.standing.taken(last)
        if not taken or taken[-1].index < 0:
            return None
        last = taken[-1].index
    return last if case.standing.taken(last) else None


def failed_import(case: Case) -> Iterator[str]:
    """A module or a name in it that is missing."""
    if not case.is_a(ImportError):
        return
    name = built_in(ImportError, "name", case.error)
    wanted = built_in(ImportError, "name_from", case.error)
    if type(name) is not str:
        return
    if case.is_a(ModuleNotFoundError):
        yield from _missing_module(name)
        return
    import sys

    module = dict.get(sys.modules, name)
    if type(wanted) is not str or module is None:
        return
    from coscope.readers.members import names_in

    if "circular" in case.message or "partially initialized" in case.message:
        yield f"`{name}` is still being imported: the import is circular."
    similar = near(wanted, names_in(module))
    if similar:
        yield f"Similar names in `{name}`: {listed(similar)}."


def _missing_module(name: str) -> Iterator[str]:
    import sys

    top = name.partition(".")[0]
    if top != name and dict.get(sys.modules, top, MISSING) is not MISSING:
        yield f"`{top}` is imported, and holds no module `{name}`."
        return
    yield f"No module `{name}` is found on sys.path."
    similar = near(
        top, [*sys.stdlib_module_names, *(each.partition(".")[0] for each in sys.modules)]
    )
    if similar:
        yield f"Similar modules: {listed(similar)}."
