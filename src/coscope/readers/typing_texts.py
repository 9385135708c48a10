"""What the annotation language holds -> a short text: type variables, `list[int]`, `int | None`.

Members that C code or an exact class of the standard library holds are read; nothing is called.
"""

from __future__ import annotations

import sys
import types
import typing
from collections.abc import Callable

from coscope.readers.attributes import MISSING, instance_attribute

_VARIABLES = (typing.TypeVar, typing.ParamSpec, typing.TypeVarTuple)
_ALIASES = tuple(
    kind
    for name in ("_GenericAlias", "_UnionGenericAlias", "_LiteralGenericAlias", "_SpecialForm")
    if (kind := getattr(typing, name, None)) is not None
)


def typing_text(thing: object, text_of: Callable[[object], str]) -> str | None:
    """The text of such an object, or None for any other.

    Args:
        thing: Any object.
        text_of: The text of a part of it.
    """
    kind = type(thing)
    if any(kind is variable for variable in _VARIABLES):
        return _plain(instance_attribute(thing, "__name__"))
    if kind is types.GenericAlias or kind is types.UnionType:
        return _alias(thing, kind is types.UnionType, text_of)
    if any(kind is alias for alias in _ALIASES):
        return _alias(thing, False, text_of)
    dataclasses = sys.modules.get("dataclasses")
    if dataclasses is not None and thing is vars(dataclasses).get("_HAS_DEFAULT_FACTORY"):
        return "<factory>"  # the default of a field with a default_factory
    return None


def _alias(thing: object, union: bool, text_of: Callable[[object], str]) -> str | None:
    args = instance_attribute(thing, "__args__")
    parts = [_part(each, text_of) for each in args] if type(args) is tuple else []
    if union:
        return " | ".join(parts)
    name = _plain(instance_attribute(thing, "_name"))
    if name is None:
        origin = instance_attribute(thing, "__origin__")
        name = None if origin is MISSING else _part(origin, text_of)
    if name is None:
        return None
    return f"{name}[{', '.join(parts)}]" if parts else name


def _part(thing: object, text_of: Callable[[object], str]) -> str:
    """A part of an annotation: a class by its name, without the brackets of a shown value."""
    if thing is type(None):
        return "None"
    text = text_of(thing)
    return text[7:-1] if text.startswith("<class ") else text


def _plain(name: object) -> str | None:
    return name if type(name) is str else None
