"""Parts that several documents have: values, the users of a variable, the detail of a card."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, overload

from coscope.errors import InternalError
from coscope.facts.closures.cells import CellUse
from coscope.model import Value
from coscope.render.text.measured import without_surrogates as clean

if TYPE_CHECKING:
    from coscope.render.schemas import report as schema
    from coscope.render.schemas import shared


@overload
def value_entry(found: Value) -> shared.Value: ...
@overload
def value_entry(found: Value | None) -> shared.Value | None: ...
def value_entry(found: Value | None) -> shared.Value | None:
    """A live object as shown: type and safe text, never the object."""
    return None if found is None else {"type": clean(found.type_name), "text": clean(found.text)}


def user_entries(uses: Iterable[CellUse]) -> list[shared.User]:
    """Code objects with the lines where they use a variable."""
    lines: dict[str, list[int]] = {}
    for use in uses:
        found = lines.setdefault(clean(use.code), [])
        if use.line is not None and use.line not in found:
            found.append(use.line)
    return [{"code": code, "lines": found} for code, found in lines.items()]


def detail_of(entry: schema.Code) -> schema.Detail:
    """The detail of a code object whose card is shown.

    Raises:
        InternalError: The document was made without it.
    """
    detail = entry["detail"]
    if detail is None:
        raise InternalError(f"the document has no detail of {entry['qualname']}")
    return detail


def name_groups(names: schema.DetailNames) -> tuple[tuple[str, list[schema.Name]], ...]:
    """The groups of names, each under its word, in the order of the document."""
    return (
        ("globals", names["globals"]),
        ("builtins", names["builtins"]),
        ("names", names["names"]),
        ("attributes", names["attributes"]),
        ("imports", names["imports"]),
    )
