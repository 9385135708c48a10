"""What a user asks of `patch` -> edits, cells and defaults for one function."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from types import CodeType, FunctionType
from typing import Any, TypedDict

from coscope.errors import (
    ConstantNotFound,
    NothingSelected,
    PatchError,
    Refused,
    WrongDefaults,
    hidden_for,
)
from coscope.model import Code, Constant, Opaque
from coscope.patcher.applying.apply import apply
from coscope.patcher.applying.name_binding import bind_names
from coscope.patcher.applying.pools import modelled
from coscope.patcher.edits.checking import check, check_edit, items, mapped
from coscope.patcher.edits.documents import to_json
from coscope.patcher.edits.model import (
    ANYWHERE,
    AnyEdit,
    AtOnce,
    Do,
    Insert,
    InsertCall,
    Literal,
    Mark,
    Outcome,
    Rename,
    Replace,
    ReplaceConstant,
    SetMetadata,
    Variable,
    Where,
    WrapCall,
)
from coscope.patcher.verbs.explaining import explained
from coscope.patcher.verbs.hooks import check_variables
from coscope.patcher.verbs.remarks import remarks, sources_of
from coscope.readers.from_function import exact_tuple
from coscope.readers.values import text_of, type_name_of

__tracebackhide__ = hidden_for

Pairs = Mapping[Any, object] | Iterable[tuple[object, object]]

# What to do instead, by the kind of change; the first that applies is reported.
_BETTER = {
    "instructions": "edited instructions fit this text of the function and this version of "
    "CPython alone; a decorator, or a change of the source, lasts",
    "constants": "a literal is nobody's interface and may move with the next release; "
    "a parameter, or a name at module level, lasts",
    "names": "whoever reads the source will not find it; setting the global, as "
    "unittest.mock.patch does, or a parameter, is seen by all",
    "globals": "whoever reads the source will not find it; setting the global, as "
    "unittest.mock.patch does, or a parameter, is seen by all",
    "cells": "the function that made this closure can make another one: call it with other values",
    "defaults": "functools.partial gives another default without a patch",
    "kwdefaults": "functools.partial gives another default without a patch",
}


@dataclass(frozen=True, slots=True)
class Request:
    """Changes that were asked for, of whatever function."""

    edits: tuple[AnyEdit, ...] = ()
    cells: tuple[tuple[str, object], ...] = ()
    defaults: tuple[tuple[str, object], ...] = ()
    kwdefaults: tuple[tuple[str, object], ...] = ()
    bound: tuple[tuple[str, object], ...] = ()  # names that become constants
    name: str | None = None
    qualname: str | None = None
    kinds: tuple[str, ...] = ()  # keys of `_BETTER`
    objects: Mapping[int, object] = field(default_factory=dict, compare=False)  # by identity

    @property
    def key(self) -> str:
        """A text that two requests for the same changes share."""
        parts: list[object] = [_document(edit) for edit in self.edits]
        for pairs in (self.cells, self.defaults, self.kwdefaults, self.bound):
            parts.append([(name, id(value)) for name, value in pairs])
        # An argument of a wrong type gets as far as here; it is refused where it is used.
        return json.dumps([*parts, self.name, self.qualname], default=id)

    @property
    def warning(self) -> str | None:
        """Why one should not ship it, one line; None if nothing speaks against it."""
        found = [f"not to be shipped: {_BETTER[kind]}" for kind in _BETTER if kind in self.kinds]
        return found[0] if found else None

    def changes(self) -> Iterator[str]:
        """What was asked for, in words."""
        for edit in self.edits:
            yield from worded_all(edit)
        for title, pairs in (("cell", self.cells), ("default", self.defaults)):
            yield from (f"{title} {name}: {text_of(value)}" for name, value in pairs)
        yield from (f"default {name}: {text_of(value)}" for name, value in self.kwdefaults)
        yield from (f"name {name} -> constant {text_of(value)}" for name, value in self.bound)


def _document(edit: AnyEdit) -> object:
    try:
        return to_json(edit)
    except PatchError:  # a code object, which will be refused
        return repr(edit)


def worded_all(edit: AnyEdit) -> tuple[str, ...]:
    """Each change of an edit in words."""
    return tuple(map(worded, edit.edits if isinstance(edit, AtOnce) else (edit,)))


def worded(edit: AnyEdit) -> str:
    """An edit in words, one line."""
    if isinstance(edit, AtOnce):
        return "at once: " + ", ".join(map(worded, edit.edits))
    where = f" in {edit.code}" if edit.code else ""
    where += " and in nested code" if edit.nested else ""
    if isinstance(edit, ReplaceConstant):
        return f"constant {_text(edit.old)} -> {_text(edit.new)}{where}"
    if isinstance(edit, Rename):
        return f"{edit.kind} name {edit.old} -> {edit.new}{where}"
    if isinstance(edit, SetMetadata):
        fields = ("name", "qualname", "filename", "firstlineno")
        told = [f"{name} {getattr(edit, name)}" for name in fields]
        return f"told of it: {', '.join(each for each in told if not each.endswith(' None'))}"
    return f"{type(edit).__name__}{where}"


def _text(value: Constant) -> str:
    return text_of(value) if type(value) is not Opaque else f"<{value.type_name}>"


class Changes(TypedDict, total=False):
    """What `patch` and `patched` change of a function."""

    constants: Pairs
    names: Mapping[str, str]
    cells: Mapping[str, object]
    defaults: Mapping[str, object]
    kwdefaults: Mapping[str, object]
    globals: Mapping[str, object]
    where: Where
    kind: str
    nested: bool
    loose: bool
    folded: str
    compiler_made: bool
    name: str
    qualname: str
    filename: str
    firstlineno: int
    edits: Iterable[AnyEdit]


_PAIRS = "pairs of old and new ones, or a dict of them"
_NAMED = ("names", "cells", "defaults", "kwdefaults", "globals")
_CHECKED = frozenset(
    (
        *("where", "kind", "nested", "loose", "folded", "compiler_made"),
        *("name", "qualname", "filename", "firstlineno"),
    )
)
_DESCRIBED = ("name", "qualname", "filename", "firstlineno")


def request(asked: Changes) -> Request:
    """What `coscope.patch` was given, as data.

    Raises:
        PatchError: An argument is not of the kind that it should be.
    """
    unknown = sorted(asked.keys() - Changes.__annotations__.keys())
    if unknown:
        raise PatchError(
            f"a patch has no argument {unknown[0]!r}", expected=", ".join(Changes.__annotations__)
        )
    objects: dict[int, object] = {}
    for name in _CHECKED & asked.keys():
        check(name, asked[name])  # type: ignore[literal-required]
    where, nested = asked.get("where", ANYWHERE), asked.get("nested", False)
    constants = [
        ReplaceConstant(
            old=constant_of(old, objects),
            new=constant_of(new, objects),
            where=where,
            nested=nested,
            loose=asked.get("loose", False),
            folded=asked.get("folded", "refuse"),
            compiler_made=asked.get("compiler_made", False),
        )
        for old, new in _pairs("constants", asked.get("constants", ()))
    ]
    named = {title: _named(title, asked.get(title)) for title in _NAMED}  # type: ignore[arg-type]
    kinds = ["constants"] * bool(constants) + [title for title, pairs in named.items() if pairs]
    kind = asked.get("kind", "global")
    renames = [
        Rename(old=old, new=new, where=where, kind=kind, nested=nested)
        for old, new in named["names"]
    ]
    made: list[AnyEdit] = [*at_once(constants), *at_once(renames)]
    described = {name: asked[name] for name in _DESCRIBED if name in asked}  # type: ignore[literal-required]
    if described:
        made.append(SetMetadata(**described, nested=nested))
    given = tuple(with_objects(edit, objects) for edit in _edits(asked.get("edits", ())))
    kinds += ["instructions"] * bool(given)
    return Request(
        edits=(*made, *given),
        cells=named["cells"],
        defaults=named["defaults"],
        kwdefaults=named["kwdefaults"],
        bound=named["globals"],
        name=asked.get("name"),
        qualname=asked.get("qualname"),
        kinds=tuple(kinds),
        objects=objects,
    )


def at_once(edits: Sequence[ReplaceConstant] | Sequence[Rename]) -> list[AnyEdit]:
    """Edits of one kind as one that makes them all at once; one alone stays as it is."""
    if len(edits) < 2:
        return list(edits)
    return [AtOnce(edits=tuple(edits))]  # type: ignore[arg-type]


def _edits(given: object) -> tuple[AnyEdit, ...]:
    edits = items("edits", given)
    for edit in edits:
        check_edit(edit)
    return edits


def with_objects(edit: AnyEdit, objects: dict[int, object]) -> AnyEdit:
    """The same edit, each live object in it a constant in its place; what holds none stays itself.

    Args:
        edit: Checked.
        objects: Gets the live objects by their identity.
    """
    changed = {
        name: new
        for name in _HOLDING.get(type(edit), ())
        if (new := _modelled_part(getattr(edit, name), objects)) is not getattr(edit, name)
    }
    return replace(edit, **changed) if changed else edit


_HOLDING: dict[type, tuple[str, ...]] = {
    ReplaceConstant: ("old", "new"),
    Insert: ("instructions",),
    Replace: ("instructions",),
    InsertCall: ("call", "args"),
    WrapCall: ("wrapper",),
}


def _modelled_part(value: Any, objects: dict[int, object]) -> Any:
    kind = type(value)
    if kind is Literal:
        new = _constant(value.value, objects)
        return value if new is value.value else Literal(new)
    if kind is Do:
        new = _constant(value.arg, objects) if value.opname == "LOAD_CONST" else value.arg
        return value if new is value.arg else replace(value, arg=new)
    if kind in (Variable, Outcome, Mark):
        return value
    if kind is tuple and any(type(each) in _PARTS for each in value):
        made = tuple(_modelled_part(each, objects) for each in value)
        return value if all(a is b for a, b in zip(made, value, strict=True)) else made
    return value if kind is tuple and not value else _constant(value, objects)


_PARTS = (Literal, Do, Variable, Outcome, Mark)


def _constant(value: object, objects: dict[int, object]) -> Constant:
    """As `constant_of`; what an edit has as a constant already stays as it is."""
    return value if type(value) is Opaque else constant_of(value, objects)


def _pairs(title: str, given: Pairs) -> list[tuple[object, object]]:
    found = mapped(title, given) if isinstance(given, Mapping) else given
    pairs = list(items(title, found, _PAIRS))
    for pair in pairs:
        if type(pair) is not tuple or len(pair) != 2:
            raise PatchError(f"{title} are {_PAIRS}", found=type_name_of(pair))
    return pairs


def _named(title: str, given: Mapping[str, object] | None) -> tuple[tuple[str, Any], ...]:
    if given is None:
        return ()
    if not isinstance(given, Mapping):
        raise PatchError(f"{title} are a dict by name", found=type_name_of(given))
    pairs = mapped(title, given)
    for name, _ in pairs:
        if type(name) is not str:
            raise PatchError(
                f"{title} are a dict by name", expected="strings", found=type_name_of(name)
            )
    return pairs


def constant_of(value: object, objects: dict[int, object]) -> Constant:
    """A constant of the model; for any other live object, a constant in its place.

    Args:
        value: Any object.
        objects: Gets the live object by its identity.

    Raises:
        Refused: It is a code object.
    """
    if type(value) is CodeType or type(value) is Code:
        raise Refused(
            "a code object is not a constant to load",
            found=value.co_name if type(value) is CodeType else value.name,
            hint="Patch the function that has it, with nested=True.",
        )
    if type(value) is Opaque:
        raise Refused("only the object itself can become a constant", found=value.type_name)
    try:
        return modelled(value)
    except (Refused, RecursionError):
        objects[id(value)] = value
        return Opaque(type_name_of(value), id(value))


# For one function


@dataclass(frozen=True, slots=True)
class Plan:
    """What one function is to become."""

    code: Code
    cells: Mapping[int, object]  # index in __closure__ -> new contents
    defaults: tuple[object, ...]
    kwdefaults: dict[str, object]
    notes: tuple[str, ...]
    remarks: Callable[[], tuple[str, ...]]  # notes that take time: worked out when they are read


def plan(asked: Request, function: FunctionType, code: Code) -> Plan:
    """Apply a request to a function's code, as data; nothing live is changed.

    Raises:
        PatchError: It cannot be done; what is wrong and what to do instead.
    """
    cells = dict(_cells(asked, code))
    defaults, kwdefaults = _defaults(asked, function, code)
    for edit in asked.edits:
        check_variables(code, edit, function)
    sources = sources_of(function, code)
    try:
        changed = apply(code, asked.edits, sources)
    except ConstantNotFound as problem:
        raise explained(problem, function, code, asked.edits, sources) from None
    notes: tuple[str, ...] = ()
    if asked.bound:
        objects = dict(asked.objects)
        values = {name: constant_of(value, objects) for name, value in asked.bound}
        changed, notes = bind_names(changed, values)
    later = partial(remarks, code, asked.edits, sources)
    return Plan(changed, cells, defaults, kwdefaults, notes, later)


def objects_of(asked: Request) -> dict[int, object]:
    """Every live object that the request makes a constant, by identity."""
    objects = dict(asked.objects)
    for _, value in asked.bound:
        constant_of(value, objects)
    return objects


def _cells(asked: Request, code: Code) -> Iterator[tuple[int, object]]:
    for name, value in asked.cells:
        if name in code.freevars:
            yield code.freevars.index(name), value
            continue
        hint = f"Its free variables are {', '.join(code.freevars)}." if code.freevars else None
        if name in code.cellvars:
            hint = "Each call of the function makes that cell anew: edit its constants or defaults."
        elif name in code.names:
            hint = f"It is a global or an attribute: use globals={{{name!r}: ...}}."
        elif name in code.varnames:
            hint = "It is a local variable: edit the constants that are assigned to it."
        raise NothingSelected(
            f"{code.name!r} has no free variable {name!r}",
            code=code.qualname,
            hint=hint or "It has none at all.",
        )


def _defaults(
    asked: Request, function: FunctionType, code: Code
) -> tuple[tuple[object, ...], dict[str, object]]:
    """The positional and the keyword-only defaults that the function is to have."""
    found = exact_tuple(function.__defaults__)
    kwfound = function.__kwdefaults__
    keywords = {} if kwfound is None else dict(dict.items(kwfound))
    if not (asked.defaults or asked.kwdefaults):
        return found, keywords
    positional = code.varnames[: code.argcount]
    keyword_only = code.varnames[code.argcount : code.argcount + code.kwonlyargcount]
    held = dict(zip(positional[-len(found) :], found, strict=False)) if found else {}
    _set_defaults(asked, code, (positional, held), (keyword_only, keywords))
    with_default = [name for name in positional if name in held]
    if with_default and tuple(with_default) != positional[-len(with_default) :]:
        raise _gap(code, positional, with_default)
    return tuple(held[name] for name in with_default), keywords


def _gap(code: Code, positional: tuple[str, ...], with_default: list[str]) -> WrongDefaults:
    """The error for a parameter without a default after one that has one."""
    first = positional.index(with_default[0])
    bare = next(name for name in positional[first:] if name not in with_default)
    return WrongDefaults(
        f"the parameter {bare!r} has no default, and follows {with_default[0]!r}",
        code=code.qualname,
        hint=f"Give both one: defaults={{{with_default[0]!r}: ..., {bare!r}: ...}}.",
    )


def _set_defaults(
    asked: Request,
    code: Code,
    positional: tuple[tuple[str, ...], dict[str, object]],
    keyword_only: tuple[tuple[str, ...], dict[str, object]],
) -> None:
    """Write what is asked for into the defaults of the parameters of each sort."""
    for title, pairs in (("defaults", asked.defaults), ("kwdefaults", asked.kwdefaults)):
        for name, value in pairs:
            if name in keyword_only[0]:
                keyword_only[1][name] = value
            elif name in positional[0] and title == "defaults":
                positional[1][name] = value
            else:
                raise _no_parameter(code, title, name, positional[0], keyword_only[0])


def _no_parameter(
    code: Code, title: str, name: str, positional: tuple[str, ...], keyword_only: tuple[str, ...]
) -> WrongDefaults:
    wanted = keyword_only if title == "kwdefaults" else (*positional, *keyword_only)
    sort = "keyword-only parameter" if title == "kwdefaults" else "parameter that takes a default"
    return WrongDefaults(
        f"{code.name!r} has no {sort} {name!r}",
        code=code.qualname,
        expected=", ".join(wanted) or "none",
        found=name,
    )
