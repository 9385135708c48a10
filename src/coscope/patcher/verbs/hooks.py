"""Hooks are checked when they are built: each variable that they name exists in the code."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from types import FunctionType
from typing import Any

from coscope.errors import NothingSelected, hidden_for
from coscope.model import Code
from coscope.patcher.applying.apply import chosen_codes, tree_of
from coscope.patcher.edits.model import AnyEdit, InsertCall, Variable, WrapCall
from coscope.readers.attributes import is_a

__tracebackhide__ = hidden_for


def check_variables(code: Code, edit: AnyEdit, function: FunctionType) -> None:
    """That the variables of a call that is inserted are variables of the code, or globals.

    Raises:
        NothingSelected: There is no such variable: each call would raise NameError.
    """
    names = list(_named(edit))
    if not names:
        return
    order = tree_of(code)
    chosen = chosen_codes(order, edit)
    known = {name for namespace in _namespaces(function) for name in namespace}
    for each in order:
        if id(each) not in chosen:
            continue
        own = [*each.localsplusnames, *each.varnames, *each.cellvars, *each.freevars]
        for name in names:
            if name not in own and name not in known:
                raise _unknown(each, name, [*dict.fromkeys(own), *known])


def _named(edit: AnyEdit) -> Iterator[str]:
    if isinstance(edit, InsertCall):
        yield from (each.name for each in (edit.call, *edit.args) if isinstance(each, Variable))
    elif isinstance(edit, WrapCall) and isinstance(edit.wrapper, Variable):
        yield edit.wrapper.name


def _namespaces(function: FunctionType) -> Iterator[dict[str, object]]:
    live: Any = function  # mypy's stubs do not always know of __builtins__
    for namespace in (live.__globals__, live.__builtins__):
        if is_a(namespace, dict):
            yield {name: None for name in dict.keys(namespace) if type(name) is str}


def _unknown(code: Code, name: str, known: list[str]) -> NothingSelected:
    near = get_close_matches(name, known, 1)
    own = ", ".join(dict.fromkeys((*code.varnames, *code.cellvars, *code.freevars)))
    return NothingSelected(
        f"a hook names the variable {name!r}, and there is none in {code.name!r}, nor a global",
        code=code.qualname,
        hint=(f"Did you mean {near[0]!r}? " if near else "")
        + (f"Its variables are {own}. " if own else "It has no variables. ")
        + "Text that is meant as text is Literal('text').",
    )
