"""The live functions of a process, by the cells that they hold."""

from __future__ import annotations

import gc
from functools import cached_property
from types import CellType, FunctionType
from typing import Any

from coscope.facts.names.uses import uses_of
from coscope.facts.shipping.clocks import Clock
from coscope.facts.shipping.sizes import Scale
from coscope.readers.attributes import MISSING
from coscope.readers.from_function import from_code_object

_SECONDS = 5.0  # for the sizes of all captures together


class World:
    """All live functions of a package, and those of others that share their cells."""

    def __init__(self, package: str) -> None:
        self.package = package
        self._weighed: dict[int, object] = {}
        self.scale = Scale(Clock(_SECONDS))  # one for all: what is weighed once is not again

    @cached_property
    def _holders(self) -> dict[int, list[FunctionType]]:
        """Functions by the `id()` of each cell in their closures."""
        found: dict[int, list[FunctionType]] = {}
        for thing in gc.get_objects():
            if type(thing) is FunctionType:
                for cell in thing.__closure__ or ():
                    found.setdefault(id(cell), []).append(thing)
        for functions in found.values():
            functions.sort(key=id)
        return found

    def holders(self, cell: CellType) -> list[FunctionType]:
        """The live functions whose closures hold a cell."""
        return self._holders.get(id(cell), [])

    def is_new(self, thing: object) -> bool:
        """True at the first question about an object."""
        if id(thing) in self._weighed:
            return False
        self._weighed[id(thing)] = thing  # kept, so that its id() stays its own
        return True

    def is_written(self, cell: CellType) -> bool:
        """True if a live function that holds the cell assigns it, itself or in nested code."""
        for function in self.holders(cell):
            names = zip(function.__code__.co_freevars, function.__closure__ or (), strict=False)
            mine = {name for name, other in names if other is cell}
            code = from_code_object(function.__code__)
            for inner in code.walk():
                if any(n in mine and u.access == "write cell" for n, _, u in uses_of(inner)):
                    return True
        return False

    @staticmethod
    def contents(cell: CellType) -> Any:
        """What a cell holds, MISSING if it is empty."""
        try:
            return cell.cell_contents
        except ValueError:
            return MISSING
