"""The names of one code object, in the groups that the opcodes put them in."""

from __future__ import annotations

from typing import Any

from coscope.facts.names.names import Name, Names, names_of
from coscope.model import Function
from coscope.render.document.constants import constant
from coscope.render.text.measured import without_surrogates as clean

Entry = dict[str, Any]

# Group in the document -> attribute of `Names`. Fast locals and cells have tables of their own.
_GROUPS = {
    "globals": "globals",
    "builtins": "builtins",
    "names": "names",
    "attributes": "attributes",
    "imports": "imports",
}


def named(function: Function) -> tuple[dict[str, list[Entry]], list[Entry]]:
    """The groups of names, and the constants with the offsets where they are loaded."""
    found = names_of(function)
    groups = {
        group: [_name(name) for name in getattr(found, attribute)]
        for group, attribute in _GROUPS.items()
    }
    return groups, _constants(found)


def _name(name: Name) -> Entry:
    return {
        "name": clean(name.name),
        "access": list(name.verbs),
        "offsets": list(name.offsets),
        "binding": name.binding,
        "value": None
        if name.value is None
        else {"type": clean(name.value.type_name), "text": clean(name.value.text)},
    }


def _constants(found: Names) -> list[Entry]:
    return [
        {
            "index": entry.index,
            **constant(entry.value),
            "offsets": list(entry.offsets),
            "docstring": entry.docstring,
        }
        for entry in found.constants
    ]
