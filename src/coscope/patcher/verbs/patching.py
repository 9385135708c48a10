"""`patch`: a changed copy of a live function. The original stays as it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import CellType, FunctionType
from typing import Any, TypeVar, Unpack

from coscope.errors import ConstantNotFound, hidden_for
from coscope.facts.closures.cells import diagram
from coscope.facts.names.scopes import EMPTY, contents_of
from coscope.model import Code
from coscope.patcher.edits.checking import check
from coscope.patcher.rebuild import Admitted, admit, make_function
from coscope.patcher.receipts import Receipt, give, running_frames
from coscope.patcher.snapshots import Snapshot, snapshot
from coscope.patcher.verbs.caches import named_in_module
from coscope.patcher.verbs.direct import exchange
from coscope.patcher.verbs.explaining import explained_in_property
from coscope.patcher.verbs.reaching import Reached, alone, reach
from coscope.patcher.verbs.requests import Changes, Plan, Request, objects_of, plan, request
from coscope.patcher.verdicts import verdict
from coscope.readers.attributes import MISSING, instance_attribute
from coscope.readers.from_function import exact_tuple, from_function
from coscope.readers.values import exact_text

__tracebackhide__ = hidden_for

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
    if changes.keys() == {"constants"} and type(fn) is FunctionType and not (share_cells or unwrap):
        function: Any = fn
        found: Any = exchange(function, changes["constants"], _receipt_of_exchange)
        if found is not None:
            return found  # type: ignore[no-any-return]
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
        admitted.co,
        function,
        closure=closure,
        defaults=wanted.defaults,
        kwdefaults=wanted.kwdefaults,
    )
    rename(new, asked)
    kept, told = decorated(reached.thing, function, new)
    receipt = _receipt(
        asked, reached, wanted, admitted=admitted, ends=(before, new), share_cells=share_cells
    )
    receipt = replace(receipt, _notes=(*receipt._notes, *told, *shipping(new, objects_of(asked))))
    give(new, receipt)
    if kept is not None:
        give(kept, receipt)
        return kept
    return reached.wrapped(new)


def _receipt_of_exchange(
    function: FunctionType, new: FunctionType, constants: dict[Any, Any]
) -> Receipt:
    """The receipt of what the direct way made."""
    asked, reached = request({"constants": constants}), reach(function)
    wanted = plan(asked, function, reached.code)
    admitted = Admitted(wanted.code, new.__code__, verdict(wanted.code))
    receipt = _receipt(
        asked,
        reached,
        wanted,
        admitted=admitted,
        ends=(snapshot(function), new),
        share_cells=False,
    )
    return replace(receipt, _notes=(*receipt._notes, *shipping(new, {})))


def decorated(
    thing: object, function: FunctionType, new: FunctionType
) -> tuple[FunctionType | None, list[str]]:
    """The decorators round the function, copied so that they call the new one.

    Each wrapper keeps what it wraps in a cell; the copy gets a cell of its own.

    Args:
        thing: What was given.
        function: The function inside, reached by `__wrapped__`.
        new: What is to be called instead.

    Returns:
        The outermost wrapper's copy, None if there is none; and what to say of it.
    """
    if type(thing) is not FunctionType or thing is function:
        return None, []
    wrappers: list[FunctionType] = []
    each: object = thing
    while type(each) is FunctionType and each is not function:
        wrappers.append(each)
        each = instance_attribute(each, "__wrapped__")
    held: FunctionType = function
    made = new
    for wrapper in reversed(wrappers) if each is function else ():
        names = [
            name
            for name, value in zip(wrapper.__code__.co_freevars, contents_of(wrapper), strict=False)
            if value is held
        ]
        if not names:
            return None, [
                f"the decorator is not kept: {wrapper.__qualname__} holds the function in no cell; "
                "the copy comes as it is inside"
            ]
        cells = tuple((name, made) for name in names)
        copied: FunctionType = copy(Request(cells=cells), reach(wrapper))
        copied.__dict__["__wrapped__"] = made
        held, made = wrapper, copied
    if each is not function:
        return None, ["the decorator is not kept: the copy comes as it is inside"]
    return made, [f"the decorator is kept: a copy of {made.__code__.co_qualname} calls the copy"]


def shipping(new: FunctionType, objects: Mapping[int, object]) -> list[str]:
    """What pickle and cloudpickle will do with the copy."""
    name = exact_text(new.__qualname__)
    found = named_in_module(new)
    if found is new:
        return []
    where = "another function" if found is not MISSING else "nothing"
    live = ", if it takes the live objects that became constants" if objects else ""
    return [f"pickle refuses the copy: {name} finds {where}; cloudpickle takes it{live}"]


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
    *,
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
