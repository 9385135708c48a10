"""Calls: why the arguments do not bind, or what the called function refused."""

from __future__ import annotations

from collections.abc import Iterator
from types import FunctionType, MethodType

from coscope.errors import CoscopeError
from coscope.explanations.case import Case, Taken
from coscope.explanations.kinds import is_exactly
from coscope.facts.calls.binding import Binding, explain
from coscope.model import Function
from coscope.readers.attributes import MISSING, class_attribute, is_a

_CALLS = ("CALL", "CALL_KW", "PRECALL", "CALL_FUNCTION_EX")


def wrong_call(case: Case) -> Iterator[str]:
    """TypeError of a call itself."""
    if not case.is_a(TypeError) or case.row.name not in _CALLS or not case.innermost:
        return
    callee = _callee(case)
    if callee is None:
        return
    if callee.known is None:
        yield from _arguments(case)
        return
    thing = callee.known.thing
    if class_attribute(type(thing), "__call__") is MISSING:
        yield f"{case.named(callee)} is {case.described(thing)}, which cannot be called."
        origin = case.since(callee)
        if origin is not None:
            yield origin
        return
    binding = _binding(case, thing)
    if binding is not None and binding.error is not None:
        yield f"{binding.error}."
        if binding.function is not None:
            yield f"Its parameters: {_parameters(binding.function)}."
        return
    yield from _arguments(case)


def refused_value(case: Case) -> Iterator[str]:
    """What was given to a built-in function that raised."""
    if case.row.name in _CALLS and case.innermost:
        yield from _arguments(case)


def _callee(case: Case) -> Taken | None:
    """What is called: the method if there is one, else the callable."""
    called = [each for each in case.operands if each.role in ("callable", "method_or_null")]
    called += [each for each in case.operands if each.role == "self_or_callable"]
    for taken in called:
        if taken.text not in ("NULL", ""):
            return taken
    return None


def _given(case: Case) -> list[Taken]:
    return [each for each in case.operands if each.role == "args"]


def _arguments(case: Case) -> Iterator[str]:
    for taken in _given(case)[:6]:
        if taken.known is not None and not _is_literal(taken):
            yield f"{case.named(taken)} is {case.value(taken)}."
            origin = case.since(taken) if taken.node.variable is not None else None
            if origin is not None:
                yield origin


def _is_literal(taken: Taken) -> bool:
    return taken.node.variable is None and not taken.node.operands


def _binding(case: Case, thing: object) -> Binding | None:
    """How the call binds, its values unknown where they are; nothing is called."""
    if case.row.name == "CALL_FUNCTION_EX":
        return None
    if not is_exactly(thing, FunctionType, MethodType) and not is_a(thing, type):
        return None
    given: list[object] = [each.known.thing if each.known else _Given() for each in _given(case)]
    names = _keywords(case)
    if names is None or len(names) > len(given):
        return None
    split = len(given) - len(names)
    own = _own_self(case, thing)
    positional = [*own, *given[:split]]
    try:
        return explain(thing, positional, list(zip(names, given[split:], strict=True)))
    except CoscopeError:
        return None


def _own_self(case: Case, thing: object) -> list[object]:
    """The instance of a method that is called by LOAD_ATTR's own way: below the arguments."""
    if type(thing) is not FunctionType:
        return []
    for taken in case.operands:
        if taken.role in ("self_or_null", "self_or_callable") and taken.text.startswith("~"):
            return [taken.known.thing if taken.known else _Given()]
    return []


def _keywords(case: Case) -> list[str] | None:
    """Names of the call's keyword arguments."""
    columns = case.standing.instructions
    index = case.standing.index
    names = case.operand("kwnames")
    if names is not None:
        value = names.known.thing if names.known else None
        return [each for each in value if type(each) is str] if type(value) is tuple else None
    for before in (index - 1, index - 2):
        if before >= 0 and columns.opname(before) == "KW_NAMES":
            value = columns.argval(before)
            return list(value) if type(value) is tuple else None
    return []


_MARKS = {"*args": "*", "**kwargs": "**"}


def _parameters(function: Function) -> str:
    """The parameters as a `def` has them, without the values of defaults."""
    texts: list[str] = []
    for each in function.arguments:
        if each.kind == "keyword-only" and not any(text.startswith("*") for text in texts):
            texts.append("*")
        default = "=..." if each.default is not None else ""
        texts.append(f"{_MARKS.get(each.kind, '')}{each.name}{default}")
    return ", ".join(texts) or "none"


class _Given:
    """An argument of a value that is not known."""
