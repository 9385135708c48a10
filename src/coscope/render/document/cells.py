"""The cells of one code object: cellvars -> freevars -> `__closure__`, as document entries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coscope.facts.closures.cells import Variable, diagram
from coscope.facts.closures.owners import code_around, owner_of, seen_from_owner
from coscope.model import Code, Function
from coscope.render.document.shared import user_entries, value_entry
from coscope.render.text.measured import without_surrogates as clean

if TYPE_CHECKING:
    from coscope.render.schemas import report as schema


def cells_of(function: Function, within: Code | None = None) -> schema.DetailCells:
    """The cells that the code owns, and those that come to it from outside.

    Args:
        function: Live or static.
        within: Code that holds the function's, where the owners of its free variables are looked
            for. Without it the source is compiled (never executed) to find them.
    """
    code = function.code
    if within is None:
        within = code_around(function)
    found = diagram(function, within=within)
    free = [v for v in found.variables if v.kind == "free"]
    return {
        "own": [_own(code, v) for v in found.variables if v.kind == "cell"],
        "free": [_free(function, at, v, within) for at, v in enumerate(free)],
        "search": found.search,
        "complete": found.complete,
    }


def _own(code: Code, variable: Variable) -> schema.OwnCell:
    takers = dict.fromkeys(use.code for use in variable.uses if use.code != code.qualname)
    return {
        "name": clean(variable.name),
        "slot": variable.slot,
        "parameter": variable.parameter,
        "captured_by": [clean(taker) for taker in takers],
        "readers": user_entries(variable.readers),
        "writers": user_entries(variable.writers),
        "note": variable.note,
    }


def _free(
    function: Function, index: int, variable: Variable, within: Code | None
) -> schema.FreeCell:
    owner = owner_of(function, variable)
    whole = seen_from_owner(function, variable, within)
    cell = variable.cell
    return {
        "name": clean(variable.name),
        "index": index,
        "slot": variable.slot,
        "owner": owner and clean(owner),
        "readers": user_entries(whole.readers),
        "writers": user_entries(whole.writers),
        "live": cell is not None,
        "empty": None if cell is None else cell.empty,
        "value": None if cell is None else value_entry(cell.value),
        "sharers": [
            {
                "qualname": clean(sharer.qualname),
                "module": sharer.module and clean(sharer.module),
                "name": clean(sharer.name),
                "same_code": sharer.same_code,
            }
            for sharer in variable.sharers
        ],
        "note": variable.note,
    }
