"""NameError and UnboundLocalError: which path leaves a variable without a value."""

from __future__ import annotations

from collections.abc import Iterator

from coscope.explanations.case import Case, built_in, listed, near
from coscope.explanations.model import Origin
from coscope.explanations.origins import origins_of
from coscope.flow.domains.made import UNASSIGNED, Made, Variable


def unassigned(case: Case) -> Iterator[str]:
    """A local variable or cell that has no value."""
    if not case.is_a(NameError) or not case.innermost:
        return
    variable = _variable(case)
    if variable is None or variable[0] != "slot":
        return
    name = case.standing.name(variable)
    if name in case.standing.code.freevars:
        yield f"`{name}` is a variable of an enclosing function, which has not assigned it yet."
        yield "A nested function reads the variable when it runs, not when it is defined."
        return
    stores = _stores(case, variable)
    if not stores:
        yield f"`{name}` is never assigned in {case.standing.code.qualname}."
        return
    yield from _paths(case, variable, name, stores)
    yield from _shadowed(case, name)


def _variable(case: Case) -> Variable | None:
    touched = case.standing.touched(case.standing.index)
    read = [variable for access, variable in touched if access.startswith(("read", "delete"))]
    return read[0] if len(read) >= 1 else None


def _stores(case: Case, variable: Variable) -> list[int]:
    return [
        index
        for index in range(len(case.standing.instructions))
        for access, each in case.standing.touched(index)
        if each == variable and access.startswith("write")
    ]


def _paths(case: Case, variable: Variable, name: str, stores: list[int]) -> Iterator[str]:
    standing = case.standing
    lines = sorted(
        {line for at in stores if (line := standing.instructions.positions[at].lineno) is not None}
    )
    assigned = "line " + " and ".join(map(str, lines[:4]))
    here = standing.instructions.positions[standing.index].lineno or 0
    deleted = [each for each in _reaching(case, variable) if each.how == "deleted"]
    if deleted:
        yield f"`{name}` was deleted at line {deleted[0].line}{_end_of_except(case, deleted[0])}."
    elif lines and min(lines) > here:
        yield (
            f"`{name}` is a local variable because {assigned} assigns it, "
            "and it is used before that."
        )
    else:
        yield f"`{name}` is assigned at {assigned} only, and the path taken does not pass there."


def _reaching(case: Case, variable: Variable) -> tuple[Origin, ...]:
    """What may have been the last store, by flow."""
    standing = case.standing
    making = standing.making
    if making is None:
        return ()
    slots = making[1].locals(standing.index) or {}
    stores = slots.get(variable, frozenset([UNASSIGNED]))
    node = Made(standing.index, variable=variable, stores=stores)
    return origins_of(standing, node)


def _end_of_except(case: Case, origin: Origin) -> str:
    source = case.standing.source
    if source is None or origin.line is None or not 0 < origin.line <= len(source.lines):
        return ""
    line = source.lines[origin.line - 1].strip()
    return "" if line.startswith("del") else ": the name of `except ... as` ends with its block"


def _shadowed(case: Case, name: str) -> Iterator[str]:
    namespace = case.scene.frame.f_globals
    if type(namespace) is dict and name in namespace:
        yield f"The module has a global `{name}` too; `global {name}` would use that one."
    elif type(case.scene.frame.f_builtins) is dict and name in case.scene.frame.f_builtins:
        yield f"The builtin `{name}` is hidden: the assignment makes the name local."


def unknown_name(case: Case) -> Iterator[str]:
    """A name that no namespace has."""
    if not case.is_a(NameError) or not case.innermost:
        return
    name = built_in(NameError, "name", case.error)
    if type(name) is not str:
        return
    frame = case.scene.frame
    yield f"No local, global or builtin is named `{name}`."
    spaces = [case.scene.locals, frame.f_globals, frame.f_builtins]
    known = [each for space in spaces for each in list(space) if type(each) is str]
    similar = near(name, known)
    if similar:
        yield f"Similar names: {listed(similar)}."
    owner = case.scene.locals.get("self")
    if owner is not None:
        from coscope.readers.members import names_in

        if name in names_in(owner):
            yield f"`self.{name}` exists."
