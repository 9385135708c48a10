"""Constants as {type, text}: any constant of any code object, written as Python writes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coscope.codec import constant_text
from coscope.model import Code, Collection, Constant, FrozenSet, Opaque, Slice
from coscope.render.text.measured import without_surrogates

if TYPE_CHECKING:
    from coscope.render.schemas import shared

MAX_CHARACTERS = 4000  # of one text in the document; a longer one says so


def constant(value: Constant) -> shared.Constant:
    """The document's form of one constant.

    >>> constant(-0.0), constant((1, "a"))
    ({'type': 'float', 'text': '-0.0'}, {'type': 'tuple', 'text': "(1, 'a')"})
    """
    if isinstance(value, Code):
        return {"type": "code", "text": f"<code {without_surrogates(value.qualname)}>"}
    text = without_surrogates(constant_text(value))
    entry: shared.Constant = {"type": type_of(value), "text": text[:MAX_CHARACTERS]}
    if len(text) > MAX_CHARACTERS:
        entry["shortened"] = True
    return entry


def type_of(value: Constant) -> str:
    """Name of the type that the constant has in Python."""
    match value:
        case Code():
            return "code"
        case FrozenSet():
            return "frozenset"
        case Slice():
            return "slice"
        case Collection():
            return value.kind
        case Opaque():
            return without_surrogates(value.type_name)
        case type():
            return "type"
    return type(value).__name__
