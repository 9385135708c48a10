"""What an edit may say: the type of each field, asked before anything is changed.

Edits are data that anybody can make, also from JSON. A field of a wrong type would otherwise be
met somewhere deep in a listing, or match nothing in silence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from typing import Any, NamedTuple

from coscope.errors import PatchError, hidden_for
from coscope.patcher.edits.model import (
    ANYWHERE,
    AnyEdit,
    Do,
    Edit,
    Literal,
    Mark,
    Outcome,
    Rename,
    ReplaceConstant,
    Variable,
    Where,
)
from coscope.readers.values import type_name_of

__tracebackhide__ = hidden_for

FOLDED = ("refuse", "leave", "replace")
KINDS = ("global", "attribute", "import", "any")
MOMENTS = ("entry", "return", "yield", "exception", "exit", "instruction")
_INSEPARABLE = ("refuse", "skip")


class _Kind(NamedTuple):
    """What a field holds."""

    text: str  # "... is <text>"
    fits: Callable[[object], bool]


def _type(text: str, *types: type) -> _Kind:
    """Values of exactly these types: a subclass may say anything of itself."""
    return _Kind(text, lambda value: type(value) in types)


def _word(*words: str) -> _Kind:
    text = " or ".join(map(repr, words))
    return _Kind(text, lambda value: type(value) is str and value in words)


def _all(kind: _Kind, text: str) -> _Kind:
    return _Kind(text, lambda value: type(value) is tuple and all(map(kind.fits, value)))


_NONE = type(None)
_FLAG = _type("True or False", bool)
_NAME = _type("a string", str)
_TEXT = _type("a string, or None", str, _NONE)
_NUMBER = _type("an int, or None", int, _NONE)
_ANYTHING = _Kind("a constant", lambda value: True)
_WHERE = _type("a Where, such as at_line(12)", Where)
_LOADED = _type("a Literal, a Variable or an Outcome", Literal, Variable, Outcome)
_STEP = _type("a Do or a Mark", Do, Mark)

# One kind for a field, whichever edit has it.
_FIELDS: dict[str, _Kind] = {
    "code": _type("a qualified name, or None", str, _NONE),
    "nested": _FLAG,
    "where": _WHERE,
    "index": _NUMBER,
    "loose": _FLAG,
    "folded": _word(*FOLDED),
    "compiler_made": _FLAG,
    "replace": _FLAG,
    "edits": _Kind(
        "a tuple of ReplaceConstant, or of Rename",
        lambda value: (
            type(value) is tuple
            and bool(value)
            and {type(each) for each in value} in ({ReplaceConstant}, {Rename})
        ),
    ),
    "kind": _word(*KINDS),
    "instructions": _all(_STEP, "a tuple of Do and Mark"),
    "after": _FLAG,
    "landing": _FLAG,
    "inseparable": _word(*_INSEPARABLE),
    "call": _LOADED,
    "args": _all(_LOADED, "a tuple of Literal, Variable and Outcome"),
    "at": _word(*MOMENTS),
    "wrapper": _LOADED,
    "name": _TEXT,
    "qualname": _TEXT,
    "filename": _TEXT,
    "firstlineno": _NUMBER,
    # What an edit replaces: a name or a constant, see `_kind`.
    "old": _ANYTHING,
    "new": _ANYTHING,
    # Parts of edits.
    "line": _NUMBER,
    "offset": _NUMBER,
    "nth": _NUMBER,
    "calls": _TEXT,
    "opname": _TEXT,
    "value": _ANYTHING,
    "arg": _ANYTHING,
    "flag": _type("an int", int),
    # Arguments of `patch`.
    "share_cells": _FLAG,
    "unwrap": _FLAG,
    "submodules": _FLAG,
    "force": _FLAG,
    "python": _TEXT,
}
_OWN: dict[tuple[str, str], _Kind] = {
    ("Rename", "old"): _NAME,
    ("Rename", "new"): _NAME,
    ("Variable", "name"): _NAME,
    ("Mark", "name"): _NAME,
    ("Do", "opname"): _NAME,
}
_PARTS = frozenset({Where, Literal, Variable, Outcome, Do, Mark, ReplaceConstant, Rename})


def check_edit(edit: AnyEdit) -> None:
    """That each field of an edit holds what it should.

    Raises:
        PatchError: It is not an edit, or a field holds something else; the message says which,
            and what belongs there.
    """
    if not isinstance(edit, Edit):
        raise PatchError("this is not an edit", found=type_name_of(edit))
    _check(edit)


def check(name: str, value: object, of: str = "") -> None:
    """That an argument, or a field, holds what it should.

    Args:
        name: Of the argument.
        value: What it holds.
        of: The class whose field it is.

    Raises:
        PatchError: It holds something else.
    """
    kind = _OWN.get((of, name)) or _FIELDS[name]
    if not kind.fits(value):
        owner = f"{of}.{name}" if of else name
        found = repr(value)[:40] if type(value) in (str, int, bool) else type_name_of(value)
        raise PatchError(f"{owner} is {kind.text}", found=found)


def items(title: str, given: object, what: str = "a list") -> tuple[Any, ...]:
    """Everything in an iterable, of whatever kind it is; `what` says which one is wanted.

    Raises:
        PatchError: It is not one, or iterating over it fails.
    """
    if isinstance(given, str | bytes) or not isinstance(given, Iterable):
        raise PatchError(f"{title} are {what}", found=type_name_of(given))
    try:
        return tuple(given)
    except Exception as problem:
        raise PatchError(
            f"{title} cannot be gone through: {type(problem).__name__}", found=type_name_of(given)
        ) from problem


def mapped(title: str, given: Mapping[Any, object]) -> tuple[tuple[Any, object], ...]:
    """The pairs of a mapping.

    Raises:
        PatchError: It cannot be gone through.
    """
    if isinstance(given, dict):
        return tuple(dict.items(given))
    try:
        return tuple(given.items())
    except Exception as problem:
        raise PatchError(
            f"{title} cannot be gone through: {type(problem).__name__}", found=type_name_of(given)
        ) from problem


def _check(part: object) -> None:
    for name, kind in _kinds(type(part)):
        value = getattr(part, name)
        if not kind.fits(value):
            check(name, value, type(part).__name__)
        if type(value) is tuple:
            for inner in value:
                if type(inner) in _PARTS:
                    _check(inner)
        elif type(value) in _PARTS and value is not ANYWHERE:
            _check(value)


_known: dict[type, tuple[tuple[str, _Kind], ...]] = {}


def _kinds(of: Any) -> tuple[tuple[str, _Kind], ...]:
    """The fields of an edit, or of a part of one."""
    if of not in _known:
        names = [field.name for field in fields(of)]
        _known[of] = tuple((name, _OWN.get((of.__name__, name)) or _FIELDS[name]) for name in names)
    return _known[of]
