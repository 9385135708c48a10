"""Where a variable got its value: the stores that may have been its last before an instruction."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from coscope.explanations.model import Origin
from coscope.explanations.standing import Standing
from coscope.flow.domains.made import OUTSIDE, PARAMETER, UNASSIGNED, Made, Variable

_MOST = 4  # origins of one variable that are listed
_LONGEST = 80  # characters of an expression


def origins_of(standing: Standing, node: Made, recorded: int | None = None) -> tuple[Origin, ...]:
    """Where the variable that a value was read from may have got it.

    Args:
        standing: The code object.
        node: What was made by reading the variable.
        recorded: Index of the store that ran last, if the run was recorded.
    """
    if node.variable is None:
        return ()
    stores: Iterable[int] = sorted(node.stores) if recorded is None else [recorded]
    found = [
        each
        for store in stores
        if (each := _origin(standing, node.variable, store, recorded is not None)) is not None
    ]
    found.sort(key=lambda each: each.line or 0)
    return tuple(found[:_MOST])


def _origin(standing: Standing, variable: Variable, store: int, recorded: bool) -> Origin | None:
    if store == PARAMETER:
        line = standing.code.firstlineno
        return Origin("argument", line, None, recorded)
    if store == OUTSIDE:
        return Origin("enclosing", None, None, recorded) if variable[0] == "slot" else None
    if store == UNASSIGNED:
        return Origin("unassigned", None, None, recorded)
    how, text = _how(standing, variable, store)
    return Origin(how, standing.instructions.positions[store].lineno, text, recorded)


def _how(standing: Standing, variable: Variable, store: int) -> tuple[str, str | None]:
    """How a store gives a value, and the expression that it comes from."""
    accesses = standing.touched(store)
    if any(access.startswith("delete") for access, each in accesses if each == variable):
        return "deleted", None
    writes = [each for access, each in accesses if access.startswith("write")]
    taken = standing.taken(store)
    place = len(writes) - 1 - (writes.index(variable) if variable in writes else 0)
    value = taken[place] if place < len(taken) else None
    if value is None or value.index < 0:
        text = standing.operand_texts(store)
        if text and "<exception>" in text[-1]:
            return "caught", None
        return "assigned", _shortened(text[-1]) if text else None
    return _made_by(standing, value)


def _made_by(standing: Standing, value: Made) -> tuple[str, str | None]:
    row = standing.effect(value.index).row
    if row.name.startswith(("FOR_ITER", "SEND")) and row.tests is not None:
        if row.tests == "exhausted":
            return "loop", _iterated(standing, value)
        return "assigned", text_of_made(standing, value)
    if row.name.startswith("UNPACK"):
        return "unpacked", text_of_made(standing, value.operands[-1]) if value.operands else None
    if row.name in ("BEFORE_WITH", "BEFORE_ASYNC_WITH") or _enters(standing, value):
        return "with", text_of_made(standing, value)
    if any(access.startswith("import") for access in row.access):
        return "imported", text_of_made(standing, value)
    if row.name in ("MAKE_FUNCTION", "SET_FUNCTION_ATTRIBUTE", "LOAD_BUILD_CLASS"):
        return "defined", None
    return "assigned", text_of_made(standing, value)


def _enters(standing: Standing, value: Made) -> bool:
    """True for the call of `__enter__` (3.14)."""
    taken = value.operands
    return bool(taken) and any(
        each.index >= 0 and standing.effect(each.index).row.name == "LOAD_SPECIAL" for each in taken
    )


def _iterated(standing: Standing, value: Made) -> str | None:
    """What a loop runs over."""
    iterator = value.operands[0] if value.operands else None
    for each in _and_options(iterator):
        if each.index >= 0 and each.operands:
            return text_of_made(standing, each.operands[0])
    return standing.excerpt(value.index)


def _and_options(node: Made | None) -> Iterator[Made]:
    if node is not None:
        yield from node.options or (node,)


def text_of_made(standing: Standing, value: Made) -> str | None:
    """The expression of a value, shortened; None if it is not known."""
    if value.index < 0:
        return None
    if value.variable is not None:
        return standing.name(value.variable)
    found = standing.excerpt(value.index)
    if found is None and standing.texts is not None:
        found = _symbolic(standing, value)
    return None if found is None else _shortened(found)


def _symbolic(standing: Standing, value: Made) -> str | None:
    """The text that the next instruction's stack has for a value."""
    frames = standing.texts
    after = value.index + 1
    if frames is None or after >= len(frames):
        return None
    frame = frames[after]
    effect = standing.effect(value.index)
    if frame is None or not effect.fresh:
        return None
    tops = frame.top(effect.pushed)
    return str(tops[min(value.place, len(tops) - 1)]) if tops else None


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
