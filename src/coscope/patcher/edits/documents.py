"""Edits <-> JSON data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any

from coscope.errors import PatchError, hidden_for
from coscope.model import FrozenSet, Opaque, Slice
from coscope.patcher.edits import model as edits
from coscope.patcher.edits.model import AnyEdit

__tracebackhide__ = hidden_for

_EDITS = (
    edits.ReplaceConstant,
    edits.Rename,
    edits.Insert,
    edits.Replace,
    edits.Remove,
    edits.InsertCall,
    edits.WrapCall,
    edits.SetMetadata,
    edits.AtOnce,
)
_PARTS = (edits.Where, edits.Literal, edits.Variable, edits.Outcome, edits.Do, edits.Mark)
_NAMED: dict[str, type] = {kind.__name__: kind for kind in (*_EDITS, *_PARTS)}
_MODELS: dict[str, type] = {kind.__name__: kind for kind in (FrozenSet, Slice, Opaque)}


def to_json(edit: AnyEdit) -> dict[str, object]:
    """An edit as strict JSON data. Fields that have their default are left out.

    Raises:
        PatchError: A constant that JSON cannot carry, such as a code object.

    >>> from coscope.patcher.edits.model import ReplaceConstant
    >>> to_json(ReplaceConstant(old=(1, b"a"), new=None))
    {'edit': 'ReplaceConstant', 'old': {'tuple': [1, {'bytes': '61'}]}, 'new': None}
    """
    document = _written(edit)
    return {"edit": document.pop("is"), **document}


def from_json(document: object) -> AnyEdit:
    """The edit that `to_json` wrote.

    Raises:
        PatchError: It is not such a document.
    """
    known = {kind.__name__ for kind in _EDITS}
    if type(document) is not dict or str(document.get("edit")) not in known:
        raise PatchError(
            "this describes no edit",
            expected=f"'edit': one of {', '.join(kind.__name__ for kind in _EDITS)}",
            found=repr(document)[:80],
        )
    rest = {name: value for name, value in document.items() if name != "edit"}
    edit: AnyEdit = _read({"is": document["edit"], **rest})
    return edit


def _written(value: Any) -> Any:
    kind = type(value)
    if value is None or kind in (bool, int, str):
        return value
    if kind is float:
        return {"float": value.hex()}
    if kind is complex:
        return {"complex": [value.real.hex(), value.imag.hex()]}
    if kind is bytes:
        return {"bytes": value.hex()}
    if value is Ellipsis:
        return {"ellipsis": True}
    if kind is tuple:
        return {"tuple": [_written(item) for item in value]}
    if kind in _NAMED.values() or kind in _MODELS.values():
        return _written_model(value)
    raise PatchError("JSON cannot carry this constant", found=kind.__name__)


def _written_model(
    value: AnyEdit | edits.Where | edits.Do | FrozenSet | Slice | Opaque,
) -> dict[str, object]:
    """An edit, or a part of one: its fields that are not the defaults."""
    document: dict[str, object] = {"is": type(value).__name__}
    for field in fields(value):
        found = getattr(value, field.name)
        if type(found) is not type(field.default) or found != field.default:
            document[field.name] = _written(found)
    return document


_READERS: dict[str, Callable[[Any], object]] = {
    "float": float.fromhex,
    "complex": lambda parts: complex(*map(float.fromhex, parts)),
    "bytes": bytes.fromhex,
    "ellipsis": lambda _: Ellipsis,
    "tuple": lambda items: tuple(map(_read, items)),
}


def _read(document: object) -> Any:
    if type(document) is not dict:
        if document is None or type(document) in (bool, int, str):
            return document
        raise PatchError("this describes no part of an edit", found=repr(document)[:80])
    try:
        if "is" in document:
            kind = _NAMED.get(document["is"]) or _MODELS[document["is"]]
            rest = {name: _read(value) for name, value in document.items() if name != "is"}
            return kind(**rest)
        [(tag, content)] = document.items()
        return _READERS[tag](content)
    except (KeyError, TypeError, ValueError, OverflowError, RecursionError) as problem:
        raise PatchError(
            "this describes no part of an edit", found=repr(document)[:80]
        ) from problem
