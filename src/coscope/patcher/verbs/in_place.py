"""`patched`: a function changed in place, for a while.

The patches of a function that are in place form one stack. The one that leaves gives back the
state that it found; if others came later, they are put anew on what is left without it.
"""

from __future__ import annotations

import functools
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import CellType, CodeType, FunctionType, TracebackType
from typing import Any, TypeVar, Unpack

from coscope.errors import InternalError, PatchError, hidden_for
from coscope.model import Code
from coscope.opcodes import table
from coscope.patcher.edits.checking import check
from coscope.patcher.rebuild import Admitted, admit
from coscope.patcher.receipts import Receipt, in_place, running_frames
from coscope.patcher.snapshots import snapshot
from coscope.patcher.verbs.caches import caches_of, clear, notes_on
from coscope.patcher.verbs.patching import changed_cells, module_of, rename, sharers
from coscope.patcher.verbs.reaching import Reached, reach
from coscope.patcher.verbs.requests import Changes, Plan, Request, objects_of, plan, request
from coscope.readers.attributes import is_a
from coscope.readers.from_function import HOST_RELEASE, HOST_VERSION, exact_tuple, from_code_object
from coscope.readers.values import exact_text

__tracebackhide__ = hidden_for

_GENERATOR, _COROUTINE, _ASYNC_GENERATOR = 0x20, 0x80, 0x200

_COST = (
    "CPython {version} gives a function that was edited in place no version any more: calls of "
    "{name}, and of every other function patched so, are slower from now on, by 2 to 180%, also "
    "after the patch is undone. coscope.patch makes a copy that is not slower. This is said once."
)

Decorated = TypeVar("Decorated", bound=Callable[..., object])


@dataclass(slots=True)
class _State:
    """What a patch changes of a function."""

    co: CodeType
    name: str
    qualname: str
    defaults: tuple[object, ...] | None
    kwdefaults: dict[str, object] | None
    cells: dict[int, tuple[object, ...]]  # index -> contents; () if it is empty

    @classmethod
    def of(cls, function: FunctionType, cells: Iterable[int]) -> _State:
        closure = exact_tuple(function.__closure__)
        return cls(
            function.__code__,
            function.__name__,
            function.__qualname__,
            function.__defaults__,
            function.__kwdefaults__,
            {index: _contents(closure[index]) for index in cells},
        )

    def attributes(self) -> Iterator[tuple[str, object]]:
        """Each attribute with its value."""
        yield "__code__", self.co
        yield "__defaults__", self.defaults
        yield "__kwdefaults__", self.kwdefaults
        yield "__name__", self.name
        yield "__qualname__", self.qualname

    def restore(self, function: FunctionType, touched: frozenset[str]) -> None:
        """Put the function into this state: what was touched, if it has changed, and the cells."""
        for name, value in self.attributes():
            if name in touched and getattr(function, name) is not value:
                setattr(function, name, value)
        closure = exact_tuple(function.__closure__)
        for index, contents in self.cells.items():
            if contents:
                closure[index].cell_contents = contents[0]
            else:
                del closure[index].cell_contents


def _contents(cell: CellType) -> tuple[object, ...]:
    try:
        return (cell.cell_contents,)
    except ValueError:  # it is empty
        return ()


_ATTRIBUTES = frozenset({"__code__", "__defaults__", "__kwdefaults__", "__name__", "__qualname__"})


@dataclass(slots=True)
class _Entry:
    """One patch that is in place."""

    asked: Request
    reached: Reached
    key: str
    entered: int = 0  # how often, and not yet left
    found: _State | None = None
    left: _State | None = None  # what this patch made of it
    touched: frozenset[str] = frozenset()  # attributes that it set
    caches: list[Any] = field(default_factory=list)  # of results, cleared when it comes and goes
    receipt: Receipt | None = None


@dataclass(slots=True)
class _Stack:
    """The patches of one function that are in place, the first at the bottom."""

    function: FunctionType
    entries: list[_Entry] = field(default_factory=list)

    def receipts(self) -> tuple[Receipt, ...]:
        """Those of its patches."""
        return tuple(entry.receipt for entry in self.entries if entry.receipt is not None)


_lock = threading.RLock()
_stacks: dict[int, _Stack] = {}  # by id() of the function, which the stack keeps alive
_told: list[str] = []  # the function at which the cost was reported


def _enter(asked: Request, reached: Reached, waiting: Mapping[int, int] | None = None) -> _Entry:
    """Put a patch in place; one that is in place already is counted."""
    function = reached.function
    with _lock:
        stack = _stacks.get(id(function)) or _Stack(function)
        key = asked.key
        for entry in stack.entries:
            if entry.key == key:
                entry.entered += 1
                return entry
        entry = _Entry(asked, reached, key, entered=1)
        _put(entry, waiting)
        stack.entries.append(entry)
        _stacks[id(function)] = stack
        in_place[id(function)] = stack.receipts
        return entry


def _leave(entry: _Entry) -> None:
    function = entry.reached.function
    with _lock:
        entry.entered -= 1
        if entry.entered:
            return
        stack = _stacks[id(function)]
        if entry is stack.entries[-1]:
            stack.entries.pop()
            _take_back(entry)
        else:
            _take_out(stack, entry)
        clear(entry.caches)
        if not stack.entries:
            del _stacks[id(function)], in_place[id(function)]


def _put(entry: _Entry, waiting: Mapping[int, int] | None = None) -> None:
    """Change the function. If that fails half-way, it is as it was.

    Args:
        entry: The patch.
        waiting: Generators and coroutines that wait, by id() of their code, if they were counted.
    """
    function, asked = entry.reached.function, entry.asked
    code, wanted, admitted = _planned(entry, function)
    notes = [*entry.reached.notes, *wanted.notes, *sharers(function, code, wanted.cells)]
    entry.caches = caches_of(entry.reached.thing, function)
    notes += notes_on(entry.reached.thing, function, entry.caches)
    before = snapshot(function, changed_cells(function, {}, apart=wanted.cells))
    running = running_frames(function.__code__, suspended=waiting is None)
    running += 0 if waiting is None else waiting.get(id(function.__code__), 0)
    if running:
        s = "" if running == 1 else "s"
        notes.append(f"{running} frame{s} of the old code go{'' if s else 'es'} on with it")
    co = admitted.co if wanted.code is not code else None
    if co is not None or asked.defaults or asked.kwdefaults:
        _tell_cost(function)
    _change(entry, function, wanted, co)
    clear(entry.caches)
    after = snapshot(function, changed_cells(function, {}, apart=wanted.cells))
    entry.receipt = Receipt(
        name=exact_text(function.__qualname__),
        module=module_of(function),
        in_place=True,
        via=entry.reached.via,
        edits=asked.edits,
        changes=tuple(asked.changes()),
        report=admitted.report,
        stack=(code.stacksize, wanted.code.stacksize),
        shared=("everything: it is the function itself",),
        fresh=("code",) if wanted.code is not code else (),
        running_frames=running,
        warning=asked.warning,
        _notes=tuple(notes),
        _remarks=wanted.remarks,
        _ends=(before, after),
    )


def _planned(entry: _Entry, function: FunctionType) -> tuple[Code, Plan, Admitted]:
    """The code that the function has, what it is to become, and that as a live object."""
    code = from_code_object(function.__code__)
    wanted = plan(entry.asked, function, code)
    admitted = admit(
        wanted.code,
        function.__code__,
        closure=changed_cells(function, wanted.cells),
        defaults=wanted.defaults,
        original=code,
        objects=objects_of(entry.asked),
    )
    return code, wanted, admitted


def _change(entry: _Entry, function: FunctionType, wanted: Plan, co: CodeType | None) -> None:
    """Put the function into the state that is wanted; `co` is its new code, None: the old one."""
    found, asked = _State.of(function, wanted.cells), entry.asked
    try:
        if asked.defaults or asked.kwdefaults:
            function.__defaults__ = wanted.defaults or None
            function.__kwdefaults__ = wanted.kwdefaults or None
        if co is not None:
            function.__code__ = co
        for index, value in wanted.cells.items():
            exact_tuple(function.__closure__)[index].cell_contents = value
        rename(function, asked)
    except BaseException:
        found.restore(function, _ATTRIBUTES)
        raise
    entry.found, entry.left = found, _State.of(function, wanted.cells)
    entry.touched = frozenset(_touched(asked, co))


def _touched(asked: Request, co: CodeType | None) -> Iterator[str]:
    if co is not None:
        yield "__code__"
    if asked.defaults or asked.kwdefaults:
        yield from ("__defaults__", "__kwdefaults__")
    if asked.name is not None or asked.qualname is not None:
        yield from ("__name__", "__qualname__")


def _take_back(entry: _Entry) -> None:
    """Undo the patch that came last."""
    function = entry.reached.function
    if entry.found is None:
        raise InternalError("a patch that was never in place is taken back")
    foreign = _changed_by_others(entry, function)
    entry.found.restore(function, entry.touched)
    if foreign:
        words = {"__code__": "the code"}
        what = " and ".join(words.get(each, each) for each in foreign)
        warnings.warn(
            f"somebody else changed {what} of {entry.found.qualname} while it was patched; "
            "it is now as it was before the patch",
            RuntimeWarning,
            stacklevel=4,
        )


def _changed_by_others(entry: _Entry, function: FunctionType) -> list[str]:
    """What the patch set and is something else by now; what it did not set is nobody's concern."""
    if entry.left is None:
        return []
    return [
        name
        for name, value in entry.left.attributes()
        if name in entry.touched and getattr(function, name) is not value
    ]


def _take_out(stack: _Stack, entry: _Entry) -> None:
    """Undo a patch below others: what they make without it replaces what they made with it.

    That is worked out on a twin, so that another thread, which calls the function inside one of the
    other patches, never finds it without.
    """
    at = stack.entries.index(entry)
    above = stack.entries[at + 1 :]
    saved = [(each.found, each.left, each.touched) for each in above]
    cells = {index for each in (entry, *above) for index in _cells_of(each)}
    twin = _twin(stack.function, cells)
    for each in reversed([entry, *above]):
        if each.found is not None:
            each.found.restore(twin, each.touched)
    try:
        for each in above:
            code, wanted, admitted = _planned(each, twin)
            _change(each, twin, wanted, admitted.co if wanted.code is not code else None)
    except PatchError:
        # What came later needs this one: it stays as long as they do.
        for each, (found, left, touched) in zip(above, saved, strict=True):
            each.found, each.left, each.touched = found, left, touched
        above[0].touched |= entry.touched
        if entry.found is not None and above[0].found is not None:
            entry.found.cells = {**above[0].found.cells, **entry.found.cells}
        above[0].found = entry.found
    else:
        touched = frozenset().union(entry.touched, *(each.touched for each in above))
        _State.of(twin, cells).restore(stack.function, touched)
    stack.entries.remove(entry)


def _twin(function: FunctionType, cells: Iterable[int]) -> FunctionType:
    """A function in the same state, with these cells of its own."""
    twin = snapshot(function, changed_cells(function, {}, apart=cells)).function()
    twin.__name__ = function.__name__
    return twin


def _cells_of(entry: _Entry) -> Iterable[int]:
    return () if entry.found is None else entry.found.cells


def _tell_cost(function: FunctionType) -> None:
    if table(HOST_VERSION).behaves("functions_lose_version", HOST_RELEASE) and not _told:
        _told.append(function.__qualname__)
        message = _COST.format(version=HOST_VERSION, name=function.__qualname__)
        warnings.warn(message, RuntimeWarning, stacklevel=6)


class Patched:
    """A patch to put in place: a context manager and a decorator. See `patched`."""

    def __init__(self, asked: Request, reached: Reached) -> None:
        self._asked = asked
        self._reached = reached
        self._entries: list[_Entry] = []

    def __repr__(self) -> str:
        state = "in place" if self._entries else "not in place"
        return f"<patch of {self._reached.function.__qualname__}, {state}>"

    def __enter__(self) -> Receipt:
        return self._entered(None)

    def start(self, waiting: Mapping[int, int] | None = None) -> Receipt:
        """Put the patch in place until `stop`, as those of `unittest.mock` do.

        Args:
            waiting: Suspended frames by id() of their code, where many patches share one count.
        """
        return self._entered(waiting)

    def _entered(self, waiting: Mapping[int, int] | None) -> Receipt:
        with _lock:
            entry = _enter(self._asked, self._reached, waiting)
            self._entries.append(entry)
        if entry.receipt is None:
            raise InternalError("a patch that is in place has no receipt")
        return entry.receipt

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with _lock:
            if not self._entries:
                raise PatchError("this patch is not in place: it was undone before")
            _leave(self._entries.pop())

    def stop(self) -> None:
        """Undo it.

        Raises:
            PatchError: It is not in place.
        """
        self.__exit__(None, None, None)

    def __call__(self, decorated: Decorated) -> Decorated:
        """Patch during each call of the decorated function."""
        if is_a(decorated, type):
            raise PatchError(
                "a class cannot be decorated with a patch",
                found=exact_text(decorated.__qualname__),
                hint="Decorate its methods, or use `with`.",
            )
        flags = decorated.__code__.co_flags if type(decorated) is FunctionType else 0
        if flags & _ASYNC_GENERATOR:
            raise PatchError(
                "an async generator cannot be decorated with a patch",
                found=exact_text(decorated.__qualname__),
                hint="Use `with` inside it.",
            )
        if flags & _COROUTINE:
            wrapped: Decorated = self._awaiting(decorated)
        elif flags & _GENERATOR:
            wrapped = self._generating(decorated)
        else:
            wrapped = self._calling(decorated)
        return wrapped

    def _calling(self, decorated: Callable[..., object]) -> Any:
        @functools.wraps(decorated)
        def call(*args: object, **kwargs: object) -> object:
            with self:
                return decorated(*args, **kwargs)

        return call

    def _awaiting(self, decorated: Callable[..., Any]) -> Any:
        @functools.wraps(decorated)
        async def call(*args: object, **kwargs: object) -> object:
            with self:
                return await decorated(*args, **kwargs)

        return call

    def _generating(self, decorated: Callable[..., Any]) -> Any:
        @functools.wraps(decorated)
        def call(*args: object, **kwargs: object) -> Any:
            with self:
                return (yield from decorated(*args, **kwargs))

        return call


def patched(
    fn: object,
    *,
    unwrap: bool = False,
    **changes: Unpack[Changes],
) -> Patched:
    """Change a function in place while a `with` block, or a decorated function, runs.

    Everybody who has the function sees the change: other modules, other threads, bound methods. It
    is undone at the end, also after an error. Frames that run the old code already go on with it.
    The same patch may be in place several times, in recursion and in threads: the last one that
    leaves undoes it.

    On CPython 3.13 a function that was edited in place is slower to call for ever (gh-117045),
    which is said in a warning, once.

    Args:
        fn: As for `patch`; of a property, a partial and the like the function inside is changed.
        unwrap: Follow `__wrapped__` to the innermost function.
        changes: As for `patch`. Cells are the live ones: other functions that have them see it.

    Returns:
        A context manager that gives the receipt, and a decorator of functions.

    Raises:
        PatchError: When it is entered: see `patch`. The function is then as it was.

    >>> def wait(seconds=1): return seconds * 60
    >>> with patched(wait, defaults={"seconds": 2}):  # doctest: +SKIP
    ...     wait()
    120
    """
    check("unwrap", unwrap)
    return Patched(request(changes), reach(fn, unwrap=unwrap))
