"""Operators, subscripts, iteration: types that do not fit together."""

from __future__ import annotations

from collections.abc import Iterator

from coscope.explanations.case import Case, Taken, described
from coscope.explanations.kinds import is_exactly
from coscope.readers.attributes import MISSING, class_attribute
from coscope.readers.values import type_name_of

_TRUE_KINDS = (int, float, str, bytes, list, tuple, dict, set, bool, type(None))


def division(case: Case) -> Iterator[str]:
    """A divisor that is zero."""
    if not case.is_a(ZeroDivisionError) or not case.innermost:
        return
    divisor = case.operand("rhs")
    if divisor is None:
        return
    yield f"The divisor {case.named(divisor)} is 0."
    origin = case.since(divisor) if divisor.known is not None else None
    if origin is not None:
        yield origin


def not_fitting(case: Case) -> Iterator[str]:
    """TypeError of an operator, a comparison, a subscript, a loop."""
    if not case.is_a(TypeError) or not case.innermost:
        return
    operands = [each for each in case.operands if "null" not in each.role]
    name = case.row.name
    if name in ("BINARY_OP", "COMPARE_OP", "CONTAINS_OP") and len(operands) == 2:
        if case.operation == "[]":
            yield from _subscript(case, operands[0], operands[1])
        else:
            yield from _pair(case, operands[0], operands[1])
    elif name in ("BINARY_SUBSCR", "STORE_SUBSCR", "DELETE_SUBSCR"):
        container, sub = case.operand("container"), case.operand("sub")
        if container is not None and sub is not None:
            yield from _subscript(case, container, sub)
    elif name in ("GET_ITER", "FOR_ITER", "LIST_EXTEND", "SET_UPDATE", "DICT_UPDATE", "DICT_MERGE"):
        yield from _not_iterable(case, operands)
    elif name.startswith("UNARY") and operands:
        yield from _one(case, operands[-1], f"`{case.row.name[6:].lower()}` does not take it")
    elif name in ("BEFORE_WITH", "BEFORE_ASYNC_WITH", "LOAD_SPECIAL") and operands:
        yield from _one(case, operands[0], "which is not a context manager")
    elif name == "GET_AWAITABLE" and operands:
        yield from _one(case, operands[0], "which cannot be awaited")


def _pair(case: Case, left: Taken, right: Taken) -> Iterator[str]:
    for taken in (left, right):
        if taken.known is not None:
            yield f"{case.named(taken)} is {_kind_or_value(case, taken)}."
    if left.known is None and right.known is None:
        yield f"The operands of `{case.operation}` are {case.named(left)} and {case.named(right)}."
    for taken in (left, right):
        if taken.known is not None and (taken.known.thing is None or _is_odd(case, taken)):
            origin = case.since(taken)
            if origin is not None:
                yield origin
    things = [each.known.thing for each in (left, right) if each.known is not None]
    number = next((each for each in things if is_exactly(each, int, float)), None)
    if number is not None and any(is_exactly(each, str) for each in things):
        other = "int" if type(number) is int else "float"
        yield f"A str and a number do not mix: convert one with `str()` or `{other}()`."


def _kind_or_value(case: Case, taken: Taken) -> str:
    """A value with its type; of a literal the type alone."""
    assert taken.known is not None
    if taken.text == case.value(taken) and taken.known.thing is not None:
        return described(taken.known.thing)
    return _shown(case, taken)


def _is_odd(case: Case, taken: Taken) -> bool:
    return taken.node.variable is not None and len(case.origins(taken.node)) == 1


def _shown(case: Case, taken: Taken) -> str:
    assert taken.known is not None
    thing = taken.known.thing
    if thing is None:
        return "None"
    if is_exactly(thing, int, float, bool, str):
        return f"{case.value(taken)} ({type_name_of(thing)})"
    return case.described(thing)


def _subscript(case: Case, container: Taken, sub: Taken) -> Iterator[str]:
    if container.known is None:
        if sub.known is not None:
            yield f"The subscript {case.named(sub)} is {_shown(case, sub)}."
        return
    thing = container.known.thing
    if class_attribute(type(thing), "__getitem__") is MISSING:
        yield f"{case.named(container)} is {case.described(thing)}, which has no items."
        origin = case.since(container)
        if origin is not None:
            yield origin
        return
    yield f"{case.named(container)} is {case.described(thing)}."
    if sub.known is not None:
        yield f"The subscript {case.named(sub)} is {_shown(case, sub)}."
        if is_exactly(thing, list, tuple, str) and is_exactly(sub.known.thing, str, float):
            yield "Its subscripts are integers or slices."
        if is_exactly(thing, dict, set) and is_exactly(sub.known.thing, list, dict, set):
            yield "A key must be hashable: use a tuple or a frozenset."


def _not_iterable(case: Case, operands: list[Taken]) -> Iterator[str]:
    if not operands:
        return
    taken = operands[-1]
    if taken.known is None:
        yield f"{case.named(taken)} cannot be iterated over."
        return
    yield f"{case.named(taken)} is {_shown(case, taken)}, which cannot be iterated over."
    origin = case.since(taken)
    if origin is not None:
        yield origin
    if type(taken.known.thing) is int:
        yield "To count, iterate over `range(...)`."


def _one(case: Case, taken: Taken, why: str) -> Iterator[str]:
    if taken.known is None:
        return
    yield f"{case.named(taken)} is {_shown(case, taken)}, {why}."
    origin = case.since(taken)
    if origin is not None:
        yield origin


def changed_while_iterating(case: Case) -> Iterator[str]:
    """A dict or set that changed its size inside a loop over it."""
    if not case.is_a(RuntimeError) or "changed size during iteration" not in case.message:
        return
    yield "The loop's body adds or removes items of what the loop runs over."
    yield "Iterate over a copy: `list(...)`."
