"""Why a constant is not found: where the value really comes from, and what to say instead."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from types import FunctionType
from typing import Any

from coscope.errors import ConstantNotFound, CoscopeError, Refused, hidden_for
from coscope.facts.closures.cells import diagram
from coscope.facts.closures.owners import code_around, owner_of, seen_from_owner
from coscope.facts.names.scopes import contents_of
from coscope.facts.names.uses import Use, uses_of
from coscope.model import Code, Constant, Opaque
from coscope.patcher.applying.literals import Sources, loads_of
from coscope.patcher.applying.matching import Exchange
from coscope.patcher.applying.pools import key, modelled
from coscope.patcher.edits.model import ANYWHERE, AnyEdit, AtOnce, ReplaceConstant
from coscope.patcher.edits.selection import short
from coscope.patcher.receipts import receipts_in_place
from coscope.patcher.verbs.remarks import stated_folded
from coscope.readers.attributes import MISSING, class_attribute, is_a, member
from coscope.readers.from_function import exact_tuple, from_code_object, from_function

__tracebackhide__ = hidden_for


def explained(
    problem: ConstantNotFound,
    function: FunctionType,
    code: Code,
    edits: Iterable[AnyEdit],
    sources: Sources,
) -> ConstantNotFound:
    """The same error, with the place from which the value reaches the function, if one is found.

    Args:
        problem: What `apply` raised.
        function: The live function.
        code: Its code, before the edits.
        edits: One of these failed.
        sources: Gives its source.
    """
    old = problem.value
    asked = [
        each
        for edit in edits
        for each in (edit.edits if isinstance(edit, AtOnce) else (edit,))
        if isinstance(each, ReplaceConstant)
    ]
    new = next((each.new for each in asked if _same(each.old, old)), MISSING)
    if any(each.where != ANYWHERE or each.index is not None for each in asked):
        return problem  # it says where the constant is
    for told in (*_folded(code, old, sources), *_sources(function, code, old, _literal(new))):
        better = ConstantNotFound(
            f"no instruction of `{code.name}` loads {_shown(old)}; {told}", code=code.qualname
        )
        for name in ("value", "similar", "containers", "nested", "free_variables"):
            setattr(better, name, getattr(problem, name))
        return better
    return problem


def explained_in_property(
    problem: ConstantNotFound, thing: object, function: FunctionType
) -> ConstantNotFound:
    """The same error; of a property with the accessor that loads the constant, if another does."""
    if type(thing) is not property:
        return problem
    for name, word in (("fget", "getter"), ("fset", "setter"), ("fdel", "deleter")):
        other = member(property, name, thing)
        if type(other) is not FunctionType or other is function:
            continue
        loads = loads_of(from_code_object(other.__code__))
        if any(_same(load.value, problem.value) for load in loads):
            problem.hint = f"The {word} of the property does: patch its .{name}."
    return problem


def _shown(old: object) -> str:
    return f"<{old.type_name}>" if type(old) is Opaque else short(old)


def _folded(code: Code, old: Constant, sources: Sources) -> Iterator[str]:
    """Where the source states it, and what the compiler made of it."""
    if type(old) is Opaque:
        kind = {"set": "frozenset", "list": "tuple"}.get(old.type_name)
        if kind is not None:
            yield (
                f"a {old.type_name} is made when the code runs; what the compiler keeps of one, "
                f"after `in` for example, is a {kind}: give that"
            )
        return
    source = sources()
    if source is None:
        return
    exchange = Exchange(old, old)
    for statement, load in stated_folded(code, exchange, source):
        if load is not None and exchange.is_held_by(load.value):
            continue  # the hint says so
        where = f"line {statement.place[0]} states it"
        where += f" in `{statement.text}`" if statement.text else ""
        if load is not None:
            yield f"{where}, which the compiler folded into {short(load.value)}: patch that one"
        elif statement.tested:
            yield f"{where}, a test that loads nothing"
        else:
            yield f"{where}, where no instruction loads it"


def explained_in_file(problem: ConstantNotFound, module: Code) -> ConstantNotFound:
    """The same error of a file's code: which function around it stores the constant in a cell.

    Args:
        problem: What `apply` raised.
        module: The code of the file, before the edits.
    """
    path = _path_to(module, problem.code)
    if not path:
        return problem
    code, around = path[-1], path[-2::-1]
    for name in code.freevars:
        owner = next((each for each in around if name in each.cellvars), None)
        if owner is None:
            continue
        for use in _stores(owner, name, problem.value):
            problem.what = f"no instruction of `{code.name}` loads {short(problem.value)}"
            problem.what += f"; the free variable `{name}` gets it from `{owner.name}`"
            problem.what += "" if use.line is None else f", at line {use.line}"
            problem.hint = f"Patch that: --at {owner.qualname.replace('.<locals>', '')}."
            return problem
    return problem


def _path_to(module: Code, qualname: str | None) -> list[Code]:
    """The one code object of a name, behind all that hold it; empty if there are several."""
    found: list[list[Code]] = []
    pending = [[module]]
    while pending:
        path = pending.pop()
        if path[-1].qualname == qualname:
            found.append(path)
        pending += [[*path, each] for each in path[-1].consts if isinstance(each, Code)]
    return found[0] if len(found) == 1 else []


def _stores(code: Code, name: str, value: object) -> Iterator[Use]:
    """The instructions that store a constant in a cell as soon as it is loaded."""
    loaded = {load.use.at + 1 for load in loads_of(code) if _same(load.value, value)}
    for used, _, use in uses_of(code):
        stores = used == name and use.access == "write cell"
        if stores and code.instructions.at(use.offset).index in loaded:
            yield use


def _literal(value: object) -> str:
    return "..." if value is MISSING or type(value) is Opaque else short(value)


def _same(value: object, old: Constant) -> bool:
    """By value and type; of a live object that no constant can be it is false."""
    try:
        return key(modelled(value)) == key(modelled(old))
    except (Refused, RecursionError):
        return False


def _sources(function: FunctionType, code: Code, old: Constant, new: str) -> Iterator[str]:
    """Where the value may come from, the likeliest first."""
    for name, held in zip(code.freevars, contents_of(function), strict=False):
        if _same(held, old):
            yield _of_cell(function, name, old, new)
    for name, held in _defaults_of(function, code):
        if _same(held, old):
            yield (
                f"the default of the parameter `{name}` is {short(old)}; "
                f'use `defaults={{"{name}": {new}}}`'
            )
    yield from _patched(function, old)
    yield from _class_attributes(function, code, old, new)
    namespace = function.__globals__
    for name in code.names:
        if _same(dict.get(namespace, name, MISSING), old):
            yield (
                f'the global `{name}` is {short(old)}; use `globals={{"{name}": {new}}}` for '
                f"this function, or set the global for all"
            )
    wrapped = dict.get(function.__dict__, "__wrapped__")
    if type(wrapped) is FunctionType:
        inside = from_code_object(wrapped.__code__)
        if any(_same(load.value, old) for load in loads_of(inside)):
            yield f"the function that it wraps, `{inside.name}`, does; use `unwrap=True`"


def _patched(function: FunctionType, old: Constant) -> Iterator[str]:
    """A patch in place that took the constant away."""
    for receipt in receipts_in_place(function):
        for edit in receipt.edits:
            for each in edit.edits if isinstance(edit, AtOnce) else (edit,):
                if isinstance(each, ReplaceConstant) and _same(each.old, old):
                    yield (
                        f"a patch that is in place has replaced it: {_shown(each.old)} -> "
                        f"{_shown(each.new)}; patch that value, or undo the patch first"
                    )


def _class_attributes(function: FunctionType, code: Code, old: Constant, new: str) -> Iterator[str]:
    """An attribute of the class of a method, which `self.NAME` reads."""
    *path, _ = function.__qualname__.split(".") if type(function.__qualname__) is str else ("",)
    found: Any = MISSING
    for number, name in enumerate(path):
        found = (
            dict.get(function.__globals__, name, MISSING)
            if not number
            else class_attribute(found, name)
            if is_a(found, type)
            else MISSING
        )
    if not path or not is_a(found, type):
        return
    for name in code.names:
        if _same(class_attribute(found, name), old):
            yield (
                f"the class attribute `{name}` of `{'.'.join(path)}` is {short(old)}: set it, "
                f"as unittest.mock.patch.object({'.'.join(path)}, {name!r}, {new}) does"
            )


def _defaults_of(function: FunctionType, code: Code) -> Iterator[tuple[str, object]]:
    found = exact_tuple(function.__defaults__)
    if found:
        names = code.varnames[: code.argcount][-len(found) :]
        yield from zip(names, found, strict=False)
    if function.__kwdefaults__:
        yield from list(dict.items(function.__kwdefaults__))


def _of_cell(function: FunctionType, name: str, old: Constant, new: str) -> str:
    holds = f"the free variable `{name}` holds {short(old)} in its cell"
    use = f'use `cells={{"{name}": {new}}}` for this closure'
    owner, line = _setter(function, name)
    if owner is None:
        return f"{holds}; {use}"
    if line is not None:
        holds += f", set at line {line} of `{owner}`"
    return f"{holds}; {use}, or patch `{owner}` for later ones"


def _setter(function: FunctionType, name: str) -> tuple[str | None, int | None]:
    """The function that makes the cell, and the first line where it is written."""
    try:
        known = from_function(function)
        within = code_around(known)
        for variable in diagram(known, within=within, sharers=False).variables:
            if variable.name == name and variable.kind == "free":
                owner = owner_of(known, variable)
                whole = seen_from_owner(known, variable, within)
                lines = [each.line for each in whole.writers if each.code == owner]
                return owner, next(iter(lines), None)
    except CoscopeError:  # its source is there no more, or is another one
        return None, None
    return None, None
