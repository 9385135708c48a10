"""Are the fields of a code object exactly of the types that they are declared with?"""

from __future__ import annotations

from itertools import chain
from operator import attrgetter

from coscope.model import Code, Flags

_NAMES = ("names", "varnames", "cellvars", "freevars", "localsplusnames")  # tuples of str
_DECLARED: dict[str, type] = {
    **dict.fromkeys(_NAMES, tuple),
    "consts": tuple,
    **dict.fromkeys(("version", "name", "qualname", "filename"), str),
    **dict.fromkeys(("firstlineno", "argcount", "posonlyargcount", "kwonlyargcount"), int),
    **dict.fromkeys(("nlocals", "stacksize"), int),
    **dict.fromkeys(("code", "linetable", "exceptiontable", "localspluskinds"), bytes),
}
_TYPES = tuple(_DECLARED.values())
_values = attrgetter(*_DECLARED)
_FLAGS = (Flags, int)
_STRINGS = frozenset({str})
_name_of = type.__dict__["__name__"].__get__  # a metaclass may define a property of this name


def has_exact_fields(code: Code) -> bool:
    """True if every field is exactly of its declared type, so that comparing runs no user code."""
    values = _values(code)
    if tuple(map(type, values)) != _TYPES or type(code.flags) not in _FLAGS:
        return False
    return _STRINGS.issuperset(map(type, chain.from_iterable(values[: len(_NAMES)])))


def inexact_fields(code: Code) -> list[tuple[str, str, str]]:
    """Fields whose values are not exactly of the type that they are declared with.

    Returns:
        For each the name of the field, the type that is expected, and the one that was found.
    """
    found = [
        (name, declared.__name__, _name_of(type(value)))
        for (name, declared), value in zip(_DECLARED.items(), _values(code), strict=True)
        if type(value) is not declared
    ]
    if type(code.flags) not in _FLAGS:
        found.append(("flags", "int", _name_of(type(code.flags))))
    for name in _NAMES:
        items = getattr(code, name)
        if type(items) is tuple:
            wrong = [item for item in items if type(item) is not str]
            found += [(name, "only strings", _name_of(type(item))) for item in wrong]
    return found


def text_of(value: object) -> str:
    """A field that should be a string, for messages."""
    return value if type(value) is str else "<unknown>"
