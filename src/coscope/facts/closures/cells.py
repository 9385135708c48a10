"""The variables that functions share through cells: who owns, reads, writes and holds each."""

from __future__ import annotations

import gc
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from types import CellType, FunctionType
from typing import Any

from coscope.facts.names.uses import cell_slots, uses_of
from coscope.model import Cell, Code, Function
from coscope.readers.values import exact_text

_MOST_HOLDERS = 1000  # closures that are looked at in search of functions

SEARCH = (
    "functions that the garbage collector knows; cells held by running frames alone are not seen"
)


@dataclass(frozen=True, slots=True)
class CellUse:
    """One instruction's use of a variable, in the code of the function or in nested code."""

    code: str  # qualified name of the code object
    access: str  # "read cell", "write cell", "delete cell", "capture cell", "read name or cell"
    offset: int  # byte offset in that code's co_code
    line: int | None


@dataclass(frozen=True, slots=True)
class Sharer:
    """Another live function whose closure holds the same cell."""

    qualname: str
    module: str | None
    name: str  # of the variable there
    same_code: bool  # made from the same code object: the late binding of a loop
    identity: int  # id() of the function


@dataclass(frozen=True, slots=True)
class Variable:
    """One cell or free variable of a function."""

    name: str
    kind: str  # "cell": made by a call of this function; "free": made by code around it
    slot: int  # as the deref opcodes of the version count it
    owner: str | None  # qualified name of the code whose call makes the cell; None: outside
    parameter: bool  # a cell variable that is an argument too
    uses: tuple[CellUse, ...]  # here and in nested code, outermost code first
    cell: Cell | None = None  # of a live function's free variable
    sharers: tuple[Sharer, ...] = ()
    note: str | None = None

    @property
    def readers(self) -> tuple[CellUse, ...]:
        """Uses that read it; a class body's may find a name of the class instead."""
        return self._by("read")

    @property
    def writers(self) -> tuple[CellUse, ...]:
        """Uses that assign it."""
        return self._by("write")

    @property
    def deleters(self) -> tuple[CellUse, ...]:
        """Uses that empty the cell."""
        return self._by("delete")

    @property
    def capturers(self) -> tuple[CellUse, ...]:
        """Uses that pass the cell to a nested function."""
        return self._by("capture")

    def _by(self, verb: str) -> tuple[CellUse, ...]:
        return tuple(use for use in self.uses if use.access.startswith(verb))


@dataclass(frozen=True, slots=True)
class CellDiagram:
    """The cells of one function, from `co_cellvars` to `co_freevars` to `__closure__`."""

    qualname: str
    live: bool
    variables: tuple[Variable, ...]  # by slot: cell variables, then free variables
    search: str | None  # how sharers were looked for, and what that cannot see; None: not at all
    complete: bool  # False if the search stopped at its bound


def diagram(function: Function, *, within: Code | None = None, sharers: bool = True) -> CellDiagram:
    """Report for each cell and free variable who owns, reads, writes, captures and holds it.

    Args:
        function: Live or static.
        within: A code object that contains the function's, such as its module's: there the owner
            of a free variable is looked for.
        sharers: Look for other live functions with the same cells. That visits every object
            that the garbage collector tracks.

    Raises:
        CodeError: The bytes of a code object are not an instruction sequence of its version.
    """
    code = function.code
    cells = {cell.index: cell for cell in function.cells}
    searched = sharers and bool(cells)
    holders, complete = _holders(function) if searched else ({}, True)
    owners = _owners(code, within)
    tree = _Tree()
    parameters = _parameters(code)
    variables = []
    free = 0
    for slot, (name, kind) in cell_slots(code).items():
        cell = None
        if kind == "free":
            cell, free = cells.get(free), free + 1
        variables.append(
            Variable(
                name=name,
                kind=kind,
                slot=slot,
                owner=code.qualname if kind == "cell" else owners.get(name),
                parameter=kind == "cell" and name in parameters,
                uses=tuple(tree.uses(code, slot)),
                cell=cell,
                sharers=tuple(_sharers(function, cell, holders)) if cell else (),
                note=_note(function, name, cell),
            )
        )
    return CellDiagram(
        qualname=function.qualname,
        live=function.live,
        variables=tuple(variables),
        search=SEARCH if searched else None,
        complete=complete,
    )


def _parameters(code: Code) -> tuple[str, ...]:
    flags = code.flags
    count = code.argcount + code.kwonlyargcount + bool(flags & 0x4) + bool(flags & 0x8)
    return code.varnames[:count]


def _note(function: Function, name: str, cell: Cell | None) -> str | None:
    if name == "__class__":
        return "the class, for super() and __class__"
    if cell is not None and not cell.empty and function.object is not None:
        contents = cell.object.cell_contents if _is_full(cell.object) else None
        if contents is function.object:
            return "holds this function itself"
    return None


def _is_full(cell: CellType) -> bool:
    try:
        return cell.cell_contents is not None
    except ValueError:
        return False


class _Tree:
    """The uses of cells in a code object and in those nested in it, each read once."""

    def __init__(self) -> None:
        self._uses: dict[int, dict[int, list[CellUse]]] = {}
        self._links: dict[int, list[tuple[Code, dict[int, list[int]]]]] = {}

    def uses(self, code: Code, slot: int) -> Iterator[CellUse]:
        """Uses of one variable in a code object and in the nested ones that capture it."""
        pending = deque([(code, slot)])
        while pending:
            outer, at = pending.popleft()
            self._read(outer)
            yield from self._uses[id(outer)].get(at, ())
            for inner, links in self._links[id(outer)]:
                pending.extend((inner, own) for own in links.get(at, ()))

    def _read(self, code: Code) -> None:
        if id(code) in self._uses:
            return
        uses: dict[int, list[CellUse]] = {}
        captures: dict[int, int] = {}  # byte offset -> slot
        for _, slot, use in uses_of(code):
            if use.access.endswith("cell"):
                shown = CellUse(code.qualname, use.access, use.offset, use.line)
                uses.setdefault(slot, []).append(shown)
            if use.access == "capture cell":
                captures[use.offset] = slot
        self._uses[id(code)] = uses
        self._links[id(code)] = list(_closures(code, captures))


def _free_slots(code: Code) -> list[int]:
    return [slot for slot, (_, kind) in cell_slots(code).items() if kind == "free"]


def _links(free: list[int], captured: list[int]) -> dict[int, list[int]]:
    """Captured slots of the outer code -> the free slots of the inner code that they become."""
    links: dict[int, list[int]] = {}
    for own, slot in zip(free, captured, strict=True):
        links.setdefault(slot, []).append(own)
    return links


def _closures(code: Code, captures: dict[int, int]) -> Iterator[tuple[Code, dict[int, list[int]]]]:
    """Each nested code object that captures: slots of the outer code -> its own slots.

    The capturing instructions come in the order of the inner free variables, right before the
    constant is loaded.
    """
    captured: list[int] = []
    columns = code.instructions
    closures = [isinstance(each, Code) and bool(each.freevars) for each in code.consts]
    if not any(closures):
        return
    for at, offset in enumerate(columns.offsets):
        if offset in captures:
            captured.append(captures[offset])
        inner = columns.argval(at)
        if not isinstance(inner, Code) or not inner.freevars:
            continue
        free = _free_slots(inner)
        if len(captured) >= len(free):
            yield inner, _links(free, captured[-len(free) :])
        captured.clear()


def _owners(code: Code, within: Code | None) -> dict[str, str]:
    """Free variable -> qualified name of the nearest code object around that makes its cell."""
    path = [] if within is None else _path(within, code)
    owners = {}
    for name in code.freevars:
        for outer in reversed(path):
            if name in outer.cellvars:
                owners[name] = outer.qualname
                break
    return owners


def _path(root: Code, code: Code) -> list[Code]:
    """The code objects from a root down to the one that directly holds `code`."""
    pending: list[tuple[Code, list[Code]]] = [(root, [])]
    while pending:
        outer, path = pending.pop()
        if outer is code or (path and outer == code):
            return path
        below = [*path, outer]
        pending.extend((inner, below) for inner in outer.consts if isinstance(inner, Code))
    return []


def _is_closure(thing: object) -> bool:
    return type(thing) is tuple and all(type(each) is CellType for each in thing)


def _holders(function: Function) -> tuple[dict[int, list[FunctionType]], bool]:
    """Live functions by the id of each cell that they hold; and whether all were looked at."""
    wanted = {id(cell.object) for cell in function.cells}
    referrers = gc.get_referrers(*(cell.object for cell in function.cells))
    closures = [found for found in referrers if _is_closure(found)]
    complete = len(closures) <= _MOST_HOLDERS
    closures = closures[:_MOST_HOLDERS]
    known = {id(closure) for closure in closures}
    functions = [
        found
        for found in (gc.get_referrers(*closures) if closures else ())
        if type(found) is FunctionType and id(found.__closure__) in known
    ]
    return _by_cell(functions, wanted), complete


def _by_cell(functions: list[FunctionType], wanted: set[int]) -> dict[int, list[FunctionType]]:
    holders: dict[int, list[FunctionType]] = {}
    for function in functions:
        for cell in dict.fromkeys(id(each) for each in function.__closure__ or ()):
            if cell in wanted:
                holders.setdefault(cell, []).append(function)
    return holders


def _sharers(
    function: Function, cell: Cell, holders: dict[int, list[FunctionType]]
) -> Iterator[Sharer]:
    """The other functions that hold one cell, in the order in which they were found."""
    own: Any = function.object
    for other in holders.get(cell.identity, ()):
        if other is own:
            continue
        closure = other.__closure__ or ()
        names = [
            name
            for name, held in zip(other.__code__.co_freevars, closure, strict=False)
            if id(held) == cell.identity
        ]
        module = other.__module__
        yield Sharer(
            qualname=exact_text(other.__qualname__),
            module=module if type(module) is str else None,
            name=names[0],
            same_code=other.__code__ is own.__code__,
            identity=id(other),
        )
