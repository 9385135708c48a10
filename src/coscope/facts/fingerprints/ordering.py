"""An order for the items of a set that is the same in every process."""

from __future__ import annotations

from types import FunctionType

from coscope.facts.fingerprints import contents
from coscope.facts.fingerprints.everyday import member_text
from coscope.facts.fingerprints.literals import atom_key
from coscope.readers.attributes import instance_attribute, is_a
from coscope.readers.values import exact_text, name_of_class, type_name_of


def order_of(item: object) -> str | None:
    """A text by which an item sorts; None if nothing about it is the same in two processes."""
    text = constant_text(item) or contents.plain_text(item) or member_text(item)
    if text is not None:
        return text
    if type(item) is FunctionType:
        module: object = item.__module__
        named = exact_text(item.__qualname__)
        return f"function {module}.{named}" if type(module) is str else f"function {named}"
    if is_a(item, type):
        return f"class {name_of_class(item)}"  # type: ignore[arg-type]
    name = instance_attribute(item, "_name_")  # a member of a user's enumeration
    if is_a(name, str) and contents.is_transparent(item):
        return f"member {type_name_of(item)}.{exact_text(name)}"
    return None


def constant_text(item: object) -> str | None:
    """A constant that may be in a set, tuples and frozensets of constants too."""
    if type(item) is tuple:
        inner = [constant_text(each) for each in item]
        return None if None in inner else f"({', '.join(filter(None, inner))})"
    if type(item) is frozenset:
        inner = [constant_text(each) for each in item]
        return None if None in inner else f"frozenset({', '.join(sorted(filter(None, inner)))})"
    return atom_key(item)
