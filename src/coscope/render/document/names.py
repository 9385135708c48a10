"""The names of one code object, in the groups that the opcodes put them in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coscope.facts.names.names import LoadedConstant, Name, names_of
from coscope.model import Function
from coscope.render.document.constants import constant
from coscope.render.document.shared import value_entry
from coscope.render.text.measured import without_surrogates as clean

if TYPE_CHECKING:
    from coscope.render.schemas import report as schema


def named(function: Function) -> tuple[schema.DetailNames, list[schema.ConstantUse]]:
    """The groups of names, and the constants with the offsets where they are loaded."""
    found = names_of(function)
    groups: schema.DetailNames = {
        "globals": [_name(name) for name in found.globals],
        "builtins": [_name(name) for name in found.builtins],
        "names": [_name(name) for name in found.names],
        "attributes": [_name(name) for name in found.attributes],
        "imports": [_name(name) for name in found.imports],
    }
    return groups, [_constant(entry) for entry in found.constants]


def _name(name: Name) -> schema.Name:
    return {
        "name": clean(name.name),
        "access": list(name.verbs),
        "offsets": list(name.offsets),
        "binding": name.binding,
        "value": value_entry(name.value),
    }


def _constant(found: LoadedConstant) -> schema.ConstantUse:
    shown = constant(found.value)
    entry: schema.ConstantUse = {
        "index": found.index,
        "type": shown["type"],
        "text": shown["text"],
        "offsets": list(found.offsets),
        "docstring": found.docstring,
    }
    if "shortened" in shown:
        entry["shortened"] = True
    return entry
