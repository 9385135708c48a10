"""The closure of a function: its cells, who makes, writes and shares them, and what they hold."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from types import FunctionType
from typing import Any

from coscope.facts.closures.cells import CellDiagram, CellUse, Sharer, Variable, diagram
from coscope.facts.closures.owners import code_around, is_bound_late, owner_of, seen_from_owner
from coscope.facts.dependencies.depends import last_name
from coscope.facts.dependencies.following import held_by, leads_on
from coscope.facts.names.scopes import EMPTY, contents_of
from coscope.facts.shipping.cargo import Step
from coscope.facts.shipping.clocks import Clock
from coscope.facts.shipping.sizes import SECONDS, Scale, Size
from coscope.model import Cell, Code, Function, Value
from coscope.readers import locate
from coscope.readers.attributes import is_a
from coscope.readers.values import exact_text, value_of
from coscope.result import Result

MOST_NODES = 500  # of the tree
DEEPEST = 50  # cells below one another in the tree
_LONGEST_CHAIN = 20  # wrappers between a cell and a function
_STEPS = ("__func__", "partial.func", "__wrapped__", "func", "fget")


@dataclass(frozen=True, slots=True)
class FreeVariable:
    """A variable that comes to the function from outside, and its cell."""

    name: str
    index: int  # in co_freevars and __closure__
    owner: str | None  # qualified name of the code that makes the cell; None: not known
    readers: tuple[CellUse, ...]  # in the owner and in all code nested in it, if that is known
    writers: tuple[CellUse, ...]
    deleters: tuple[CellUse, ...]
    cell: Cell | None = None  # None: the function is not live
    size: Size | None = None  # of the contents; None: not live, or empty
    sharers: tuple[Sharer, ...] = ()  # other live functions with the same cell
    late: bool | None = None
    """True: the loop that makes functions of this code assigns the variable, so that all of them,
    and a single one that is left, see what its last round assigned. None: functions of this code
    share the cell, and whether a loop assigns it is not known."""
    note: str | None = None


@dataclass(frozen=True, slots=True)
class OwnVariable:
    """A variable for which each call of the function makes a cell."""

    name: str
    parameter: bool
    takers: tuple[str, ...]  # qualified names of the nested code that gets the cell
    readers: tuple[CellUse, ...]
    writers: tuple[CellUse, ...]
    deleters: tuple[CellUse, ...]
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Node:
    """One cell in the tree of what a closure holds."""

    name: str  # of the variable
    cell: int  # id() of the cell
    value: Value | None  # None: the cell is empty
    function: str | None = None  # qualified name of the function that it holds
    identity: int | None = None  # id() of that function
    via: tuple[str, ...] = ()  # steps from the contents to the function: "partial.func"
    again: bool = False  # that function is above or before: its cells are not repeated
    nodes: tuple[Node, ...] = ()  # the cells of that function


@dataclass(frozen=True, slots=True)
class Closure(Result):
    """What `closure` found."""

    qualname: str
    module: str | None
    live: bool
    identity: int | None  # id() of the live function
    free: tuple[FreeVariable, ...]  # in the order of `__closure__`
    own: tuple[OwnVariable, ...]
    tree: tuple[Node, ...]  # the cells, those of functions in them below
    circles: tuple[tuple[Step, ...], ...]
    """Ways by which the function holds itself through cells. Only the cycle collector frees it."""
    bytes: int  # that all cells hold, shared parts counted once
    complete: bool  # False: a limit stopped the search for sharers, the sizes or the tree
    search: str | None  # how sharers were looked for, and what that cannot see
    via: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def _of_kind(found: CellDiagram, kind: str) -> list[Variable]:
    return [each for each in found.variables if each.kind == kind]


def closure(
    target: Any,
    *,
    python: str | None = None,
    unwrap: bool = False,
    code_version: str | None = None,
    seconds: float = SECONDS,
) -> Closure:
    """Report a function's cells, who makes, reads and writes each, and what they hold.

    Live functions that share a cell are found through the garbage collector; a cell held only by
    a running frame is not seen.

    Args:
        target: Whatever `coscope.read` takes, or what it gave.
        python: Compile a source file by another interpreter, see `coscope.read`.
        unwrap: Follow `__wrapped__` of decorated functions.
        code_version: The file is a code object without a header, of this CPython: "3.12".
        seconds: For the sizes.

    Raises:
        TargetError, SourceError, InterpreterError, PycError: See `coscope.read`.
        CodeError: A code object is not an instruction sequence of its version.

    >>> def counter():
    ...     count = 0
    ...     def step():
    ...         nonlocal count
    ...         count += 1
    ...     return step
    >>> found = closure(counter())
    >>> [(each.name, each.cell.value.text) for each in found.free]
    [('count', '0')]
    """
    meant = locate(target, python=python, unwrap=unwrap, code_version=code_version)
    function = meant.function
    within = code_around(function)
    found = diagram(function, within=within)
    scale = Scale(Clock(seconds))
    variables, cells = _of_kind(found, "free"), _of_kind(found, "cell")
    free = [_free(function, at, each, within, scale) for at, each in enumerate(variables)]
    tree = _Tree(function.object)
    nodes = tree.nodes_of(function.object, (Step("target", last_name(function.qualname)),))
    sizes = [each.size for each in free if each.size is not None]
    return Closure(
        qualname=function.qualname,
        module=function.module,
        live=function.live,
        identity=None if function.object is None else id(function.object),
        free=tuple(free),
        own=tuple(_own(function.code, each) for each in cells),
        tree=nodes,
        circles=tuple(tree.circles),
        bytes=sum(size.added for size in sizes),
        complete=found.complete and tree.complete and all(size.complete for size in sizes),
        search=found.search,
        via=function.via,
        warnings=function.warnings,
    )


def _free(
    function: Function, index: int, variable: Variable, within: Code | None, scale: Scale
) -> FreeVariable:
    whole = seen_from_owner(function, variable, within)
    cell = variable.cell
    full = cell is not None and cell.value is not None
    late = is_bound_late(function, variable.name, within)
    if late is None and not any(sharer.same_code for sharer in variable.sharers):
        late = False
    return FreeVariable(
        name=variable.name,
        index=index,
        owner=owner_of(function, variable),
        readers=whole.readers,
        writers=whole.writers,
        deleters=whole.deleters,
        cell=cell,
        size=scale.weigh(cell.value.object) if cell is not None and full and cell.value else None,
        sharers=variable.sharers,
        late=late,
        note=variable.note,
    )


def _own(code: Code, variable: Variable) -> OwnVariable:
    takers = dict.fromkeys(use.code for use in variable.uses if use.code != code.qualname)
    return OwnVariable(
        name=variable.name,
        parameter=variable.parameter,
        takers=tuple(takers),
        readers=variable.readers,
        writers=variable.writers,
        deleters=variable.deleters,
        note=variable.note,
    )


class _Tree:
    """Follows cells to the functions that they hold, each function once."""

    def __init__(self, root: object) -> None:
        self.root = root
        self.seen: set[int] = set()
        self.circles: list[tuple[Step, ...]] = []
        self.left = MOST_NODES
        self.complete = True

    def nodes_of(self, function: object, path: tuple[Step, ...]) -> tuple[Node, ...]:
        """The cells of a function; () of anything else."""
        if type(function) is not FunctionType:
            return ()
        self.seen.add(id(function))
        cells = function.__closure__ or ()
        names = function.__code__.co_freevars
        held = zip(names, cells, contents_of(function), strict=False)
        return tuple(
            node
            for name, cell, thing in held
            for node in self._node(name, id(cell), thing, (*path, Step("closure", name)))
        )

    def _node(self, name: str, cell: int, thing: object, path: tuple[Step, ...]) -> Iterator[Node]:
        if self.left <= 0:
            self.complete = False
            return
        self.left -= 1
        if thing is EMPTY:
            yield Node(name, cell, None)
            return
        function, via = _function_in(thing)
        if function is None:
            yield Node(name, cell, value_of(thing))
            return
        if function is self.root:
            self.circles.append(path)
        again = id(function) in self.seen
        nodes: tuple[Node, ...] = ()
        if not again and len(path) <= DEEPEST:
            nodes = self.nodes_of(function, path)
        elif not again and function.__closure__:
            self.complete = False
        qualname = exact_text(function.__qualname__)
        yield Node(
            name=name,
            cell=cell,
            value=value_of(thing),
            function=qualname,
            identity=id(function),
            via=via,
            again=again,
            nodes=nodes,
        )


def _function_in(thing: object) -> tuple[FunctionType | None, tuple[str, ...]]:
    """The function that an object is or wraps, and the steps to it."""
    via: list[str] = []
    while len(via) < _LONGEST_CHAIN:
        if type(thing) is FunctionType:
            return thing, tuple(via)
        if is_a(thing, type) or not leads_on(thing):
            break
        for step, part in held_by(thing):
            if step in _STEPS:
                via.append(step)
                thing = part
                break
        else:
            break
    return None, ()
