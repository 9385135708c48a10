"""What a function is made of at one moment."""

from __future__ import annotations

from dataclasses import dataclass
from types import CellType, CodeType, FunctionType
from typing import Any

from coscope.patcher.rebuild import exact_dict
from coscope.readers.from_function import exact_tuple


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a function is made of at one moment. No function, so that it shares no cell with one."""

    co: CodeType
    namespace: dict[str, object]
    name: str
    qualname: str
    module: Any
    defaults: tuple[object, ...] | None
    kwdefaults: dict[str, object]
    closure: tuple[CellType, ...]

    def function(self, co: CodeType | None = None) -> FunctionType:
        """A function of the same live code object, or of another one, for facts about it."""
        cells = self.closure or None
        found = FunctionType(co or self.co, self.namespace, self.name, self.defaults, cells)
        found.__kwdefaults__ = self.kwdefaults or None
        found.__qualname__ = self.qualname
        found.__module__ = self.module
        return found


def snapshot(function: FunctionType, closure: tuple[CellType, ...] | None = None) -> Snapshot:
    """What a function is made of now.

    Args:
        function: Live.
        closure: Cells to take instead of its own.
    """
    return Snapshot(
        co=function.__code__,
        namespace=function.__globals__,
        name=function.__name__,
        qualname=function.__qualname__,
        module=function.__module__,
        defaults=exact_tuple(function.__defaults__) or None,
        kwdefaults=exact_dict(function.__kwdefaults__),
        closure=exact_tuple(function.__closure__) if closure is None else closure,
    )
