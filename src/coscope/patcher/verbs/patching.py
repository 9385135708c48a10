"""`patch`: a changed copy of a live function. The original stays as it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import CellType, FunctionType
from typing import Any, TypeVar, Unpack

from coscope.errors import ConstantNotFound
from coscope.facts.closures.cells import diagram
from coscope.facts.names.scopes import EMPTY, contents_of
from coscope.model import Code
from coscope.patcher.edits.checking import check
from coscope.patcher.rebuild import Admitted, Snapshot, admit, make_function, snapshot
from coscope.patcher.receipts import Receipt, give, running_frames
from coscope.patcher.verbs.explaining import explained_in_property
from coscope.patcher.verbs.reaching import Reached, alone, reach
from coscope.patcher.verbs.requests import Changes, Plan, Request, objects_of, plan, request
from coscope.readers.from_function import exact_tuple, from_function
from coscope.readers.values import exact_text

F = TypeVar("F")

_MOST_HOLDERS = 5  # named in a note


def patch(
    fn: F,
    *,
    share_cells: bool = False,
    unwrap: bool = False,
    **changes: Unpack[Changes],
) -> F:
    """Make a changed copy of a function. Nothing of the original changes.

    The new code is verified before it becomes a function: what this returns cannot crash the
    interpreter, and what it cannot make is an error that says why.

    Args:
        fn: A function; or a method, partial, property and the like, whose function inside
            is patched and returned in the same wrapper.
        share_cells: Write the live cells: every function that has them sees it.
        unwrap: Follow `__wrapped__` to the innermost function.
        changes: Any of these.
            constants: Old value -> new value, or pairs of them. They match by value and type: 1 is
            neither True nor 1.0. Any object can be the new value. All pairs apply at once.
            names: Global name -> the name to look up instead.
            cells: Free variable -> contents, in a cell of the copy's own.
            defaults, kwdefaults: Parameter -> default.
            globals: Global name -> value: it is loaded, and the name looked up no more.
            where: Which instructions `constants` and `names` are about: `at_line(12)`.
            kind: What `names` are: "global", "attribute", "import" or "any".
            nested: Change `constants` and `names` in nested functions too.
            loose: Let constants match whatever is equal.
            folded: Constants that hold the old one, such as a tuple: "refuse", "leave", "replace".
            compiler_made: Change loads too that stand for no literal of the source.
            name, qualname, filename, firstlineno: What it is called, and what tracebacks say.
            edits: Further edits, see `coscope.patcher.edits.model`.

    Returns:
        The new function. Its attribute `receipt` says what was done.

    Raises:
        ConstantNotFound, NothingSelected, AmbiguousEdit: There is nothing to change, or too much.
        NotVerified, WrongClosure, WrongDefaults, WrongKind, Refused: It would not be safe.
        NoCodeObject, TargetError: There is no Python function to patch.

    >>> def wait(seconds=1): return seconds * 60
    >>> patch(wait, constants={60: 24}, defaults={"seconds": 2})()
    48
    """
    check("share_cells", share_cells)
    check("unwrap", unwrap)
    new: F = copy(request(changes), reach(fn, unwrap=unwrap), share_cells=share_cells)
    return new


def copy(asked: Request, reached: Reached, *, share_cells: bool = False) -> Any:
    """A changed copy of the function that was reached, in its wrappers.

    Raises:
        PatchError: See `patch`.
    """
    function = reached.function
    try:
        wanted = plan(asked, function, reached.code)
    except ConstantNotFound as problem:
        raise explained_in_property(problem, reached.thing, function) from None
    closure = changed_cells(function, wanted.cells)
    admitted = admit(
        wanted.code,
        function.__code__,
        closure=closure,
        defaults=wanted.defaults,
        original=reached.code,
        objects=objects_of(asked),
    )
    before = snapshot(function)
    if share_cells:
        before = snapshot(function, changed_cells(function, {}, apart=wanted.cells))
        closure = exact_tuple(function.__closure__)
        for index, value in wanted.cells.items():
            closure[index].cell_contents = value
    new = make_function(
        admitted, function, closure=closure, defaults=wanted.defaults, kwdefaults=wanted.kwdefaults
    )
    rename(new, asked)
    give(new, _receipt(asked, reached, wanted, admitted, (before, new), share_cells))
    return reached.wrapped(new)


def changed_cells(
    function: FunctionType, contents: Mapping[int, object], *, apart: Iterable[int] = ()
) -> tuple[CellType, ...]:
    """The closure of a function with some cells of its own.

    Args:
        function: Live.
        contents: Index -> what a new cell holds.
        apart: Indexes of cells that are replaced by ones with the same contents.
    """
    return tuple(
        CellType(contents[index]) if index in contents else _twin(cell) if index in apart else cell
        for index, cell in enumerate(exact_tuple(function.__closure__))
    )


def _twin(cell: CellType) -> CellType:
    try:
        return CellType(cell.cell_contents)
    except ValueError:  # it is empty
        return CellType()


def rename(function: FunctionType, asked: Request) -> None:
    """Give the function the names that were asked for."""
    if asked.name is not None:
        function.__name__ = asked.name
        if asked.qualname is None:
            head = function.__qualname__.rpartition(".")[0]
            function.__qualname__ = f"{head}.{asked.name}" if head else asked.name
    if asked.qualname is not None:
        function.__qualname__ = asked.qualname


def _receipt(
    asked: Request,
    reached: Reached,
    wanted: Plan,
    admitted: Admitted,
    ends: tuple[Snapshot, FunctionType],
    share_cells: bool,
) -> Receipt:
    function = reached.function
    before, new = ends
    own = () if share_cells else tuple(reached.code.freevars[index] for index in wanted.cells)
    shared = [f"cell {name}" for name in reached.code.freevars if name not in own]
    shared += [f"globals of {module_of(function)}"]
    shared += ["defaults"] * (new.__defaults__ is function.__defaults__ is not None)
    shared += ["what the attributes hold"] * bool(function.__dict__)
    notes = [*reached.notes, *alone(reached.thing, function), *wanted.notes]
    if share_cells:
        notes += sharers(function, reached.code, wanted.cells, besides=new)
    notes += calls_itself(function, reached.code, own)
    return Receipt(
        name=exact_text(new.__qualname__),
        module=module_of(function),
        in_place=False,
        via=reached.via,
        edits=asked.edits,
        changes=tuple(asked.changes()),
        report=admitted.report,
        stack=(reached.code.stacksize, admitted.code.stacksize),
        shared=tuple(shared),
        fresh=("code", *(f"cell {name}" for name in own)),
        running_frames=running_frames(function.__code__),
        warning=asked.warning,
        _notes=tuple(notes),
        _remarks=wanted.remarks,
        _ends=(before, snapshot(new)),
    )


def module_of(function: FunctionType) -> str | None:
    """`__module__`, if it is a string."""
    module = function.__module__
    return module if type(module) is str else None


def sharers(
    function: FunctionType,
    code: Code,
    changed: Iterable[int],
    *,
    besides: FunctionType | None = None,
) -> list[str]:
    """Who else sees that live cells are written, in words.

    Args:
        function: Whose cells they are.
        code: Its code.
        changed: Indexes of the cells.
        besides: The copy, which is not reported.
    """
    names = {code.freevars[index] for index in changed}
    if not names:
        return []
    told = []
    for variable in diagram(from_function(function)).variables:
        if variable.kind != "free" or variable.name not in names:
            continue
        others = [each.qualname for each in variable.sharers if each.identity != id(besides)]
        seeing = [exact_text(function.__qualname__), *others]
        shown = ", ".join(seeing[:_MOST_HOLDERS])
        more = f" and {len(seeing) - _MOST_HOLDERS} more" if seeing[_MOST_HOLDERS:] else ""
        told.append(f"the live cell {variable.name} is written; seen by {shown}{more}")
    return told


def calls_itself(function: FunctionType, code: Code, own: Iterable[str]) -> list[str]:
    """Names by which the function finds its original, so that recursion leaves the copy."""
    told = []
    for name, held in zip(code.freevars, contents_of(function), strict=False):
        if held is function and name not in own:
            told.append(f"the cell {name} holds the original: recursion goes there")
    for name in code.names:
        if dict.get(function.__globals__, name, EMPTY) is function:
            told.append(f"the global {name} is the original: recursion goes there")
    return told
