"""Whether anything that a fingerprint was made from has changed, judged by identity alone."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from itertools import compress, repeat
from operator import attrgetter, is_, not_
from types import CellType, FunctionType, ModuleType
from typing import Any, TypeVar

from coscope.facts.fingerprints.provenance import module_namespace
from coscope.readers.attributes import MISSING, is_a

Held = TypeVar("Held")
Contents = Callable[[Any], Iterable[object]]  # of one of the objects that it is kept with

_code = attrgetter("__code__")
_defaults = attrgetter("__defaults__")
_keyword_defaults = attrgetter("__kwdefaults__")
_attributes = attrgetter("__dict__")
_contents = attrgetter("cell_contents")


class Witness:
    """Everything that was looked at, kept alive so that an identity stays true.

    Immutable objects are the same as long as they are the same object. Of what can change, the
    objects inside are kept and compared one by one; none of their methods runs.
    """

    def __init__(self) -> None:
        self.functions: list[FunctionType] = []
        self.codes: list[object] = []
        self.defaults: list[object] = []
        self.keyword_defaults: list[object] = []
        self.has_attributes: list[bool] = []
        self.cells: list[CellType] = []
        self.contents: list[object] = []
        self.empty_cells: list[CellType] = []
        self.spaces: list[dict[object, object]] = []
        self.names: list[object] = []
        self.values: list[object] = []
        self.objects: list[object] = []
        self.types: list[type] = []
        self.mutable: list[tuple[Contents, object, tuple[object, ...]]] = []

    def function(self, function: FunctionType, code: object) -> None:
        """Note a function with the code object that was read."""
        self.functions.append(function)
        self.codes.append(code)
        self.defaults.append(function.__defaults__)
        self.keyword_defaults.append(function.__kwdefaults__)
        self.has_attributes.append(dict.__len__(function.__dict__) > 0)
        for namespace in (function.__kwdefaults__, function.__dict__):
            if namespace is not None and dict.__len__(namespace):
                self.holds(entries_of, namespace)

    def cell(self, cell: CellType, contents: object) -> None:
        """Note what a cell holds, MISSING if it is empty."""
        if contents is MISSING:
            self.empty_cells.append(cell)
        else:
            self.cells.append(cell)
            self.contents.append(contents)

    def lookup(self, space: dict[Any, Any], name: object, value: object) -> None:
        """Note what a dictionary has under a name, MISSING if nothing."""
        self.spaces.append(space)
        self.names.append(name)
        self.values.append(value)

    def holds(self, contents: Callable[[Held], Iterable[object]], thing: Held) -> None:
        """Note what a mutable object holds now."""
        self.mutable.append((contents, thing, tuple(contents(thing))))

    def version(self, package: str) -> None:
        """Note what an installed package says of its version."""
        self.lookup(sys.modules, package, module := dict.get(sys.modules, package, MISSING))
        if is_a(module, ModuleType):
            space = module_namespace(module)
            self.lookup(space, "__version__", dict.get(space, "__version__", MISSING))

    def never(self) -> None:
        """Note that something cannot be watched: it is never taken for unchanged."""
        self.mutable.append((lambda thing: [object()], None, (None,)))

    def has_type(self, thing: object) -> None:
        """Note the type of an instance, which can be assigned."""
        self.objects.append(thing)
        self.types.append(type(thing))

    def unchanged(self) -> bool:
        """True if every object is what it was."""
        functions = self.functions
        return (
            all(map(is_, map(_code, functions), self.codes))
            and all(map(is_, map(dict.get, self.spaces, self.names, repeat(MISSING)), self.values))
            and all(map(is_, map(_defaults, functions), self.defaults))
            and all(map(is_, map(_keyword_defaults, functions), self.keyword_defaults))
            and not any(
                compress(
                    map(dict.__len__, map(_attributes, functions)), map(not_, self.has_attributes)
                )
            )
            and all(map(is_, map(type, self.objects), self.types))
            and self._cells_unchanged()
            and all(_same(tuple(contents(thing)), kept) for contents, thing, kept in self.mutable)
        )

    def _cells_unchanged(self) -> bool:
        try:
            if not all(map(is_, map(_contents, self.cells), self.contents)):
                return False
        except ValueError:  # one is empty now
            return False
        return all(contents_of_cell(cell) is MISSING for cell in self.empty_cells)


def _same(now: tuple[object, ...], kept: tuple[object, ...]) -> bool:
    return len(now) == len(kept) and all(map(is_, now, kept))


def contents_of_cell(cell: CellType) -> object:
    """What a cell holds, MISSING if it is empty."""
    try:
        return cell.cell_contents
    except ValueError:  # CPython's way to say so
        return MISSING


def entries_of(namespace: dict[Any, Any]) -> list[object]:
    """Keys and values of a dictionary or a subclass, in order."""
    return [*dict.keys(namespace), *dict.values(namespace)]
