"""`edit`: change the instructions of a function step by step, then build a copy."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Generic, Self, TypeVar

from coscope.errors import AmbiguousEdit, PatchError, hidden_for
from coscope.model import Code
from coscope.opcodes import table
from coscope.patcher.applying.apply import apply
from coscope.patcher.applying.assembler import Assembler
from coscope.patcher.edits.checking import check, check_edit, items
from coscope.patcher.edits.model import (
    ANYWHERE,
    AnyEdit,
    Do,
    Insert,
    InsertCall,
    Literal,
    Loaded,
    Mark,
    Outcome,
    Remove,
    Rename,
    Replace,
    ReplaceConstant,
    SetMetadata,
    Variable,
    Where,
    WrapCall,
    at_line,
)
from coscope.patcher.edits.selection import instructions_of, names_of
from coscope.patcher.listing.listing import decode_listing
from coscope.patcher.verbs.hooks import check_variables
from coscope.patcher.verbs.in_place import Patched
from coscope.patcher.verbs.patching import copy
from coscope.patcher.verbs.reaching import Reached, reach
from coscope.patcher.verbs.remarks import sources_of
from coscope.patcher.verbs.requests import Request, with_objects
from coscope.readers.attributes import is_a

__tracebackhide__ = hidden_for

_NULL_FLAG = 1  # of LOAD_GLOBAL: it pushes the NULL of a call too

F = TypeVar("F")  # what was given to be edited


class Load:
    """One instruction that loads a name. A light view into an `Editor`."""

    def __init__(self, editor: Editor[F], name: str, number: int, at: int) -> None:
        columns = editor.code.instructions
        self._editor = editor
        self._stage = editor.stage
        self._number = number  # among the instructions of this opcode and name
        self.name = name
        self.opname = columns.opname(at)
        self.oparg = columns.opargs[at]
        self.offset = columns.offsets[at]
        self.line = columns.positions[at][0]

    def __repr__(self) -> str:
        where = f" at line {self.line}" if self.line is not None else ""
        return f"<load of {self.name!r} by {self.opname}{where}>"

    def replace(self, *what: object) -> None:
        """Load something else.

        Args:
            what: One object, which becomes a constant; a `Variable`; or instructions (`Do`,
                `Mark`), which must leave on the stack what the load left.

        Raises:
            AmbiguousEdit: The instruction loads two names at once.
            PatchError: Other edits were made since the loads were looked for.
        """
        if self._stage != self._editor.stage:
            raise PatchError(
                "the code has changed since this load was found",
                hint=f"Look for it again: loads({self.name!r}).",
            )
        if not what:
            raise PatchError("there is nothing to load instead", found=repr(self))
        if "_FAST_LOAD" in self.opname or "_FAST_STORE" in self.opname:
            raise AmbiguousEdit(
                "the instruction loads two names at once",
                found=f"{self.opname} at line {self.line}",
                hint="Give instructions for both: editor.replace(at_offset(...), ...).",
            )
        where = Where(opname=self.opname, name=self.name, nth=self._number)
        made = self._editor.instructions_for(what, self)
        self._editor.later(Replace(where=where, instructions=made), self._number)


class Editor(Generic[F]):
    """The instructions of one function, while they are edited. See `edit`.

    Attributes:
        edits: What was done so far, in order.
    """

    def __init__(self, reached: Reached) -> None:
        self._reached = reached
        self._code = reached.code
        self._sources = sources_of(reached.function, reached.code)
        self._objects: dict[int, object] = {}
        self._waiting: list[tuple[int, AnyEdit]] = []
        self._made: list[AnyEdit] = []  # the same with live objects as constants of the model
        self.edits: list[AnyEdit] = []
        self.stage = 0  # edits that are applied

    def __repr__(self) -> str:
        count = len(self.edits) + len(self._waiting)
        return f"<editor of {self._code.qualname}: {count} edits>"

    @property
    def code(self) -> Code:
        """The code object as it is now."""
        self._apply_waiting()
        return self._code

    def apply(self, *edits: AnyEdit) -> Self:
        """Apply edits.

        Raises:
            PatchError: One cannot be made; those before it are.
        """
        self._apply_waiting()
        for edit in edits:
            check_edit(edit)
            made = with_objects(edit, self._objects)
            check_variables(self._code, made, self._reached.function)
            self._code = apply(self._code, [made], self._sources)
            self.edits.append(edit)
            self._made.append(made)
            self.stage += 1
        return self

    def later(self, edit: AnyEdit, number: int) -> None:
        """Replace a load when all that were found together are known, the last one first.

        So the numbers of the others still hold.
        """
        self._waiting.append((number, edit))

    def _apply_waiting(self) -> None:
        waiting = sorted(self._waiting, key=lambda each: each[0], reverse=True)
        self._waiting = []
        if waiting:
            self.apply(*(edit for _, edit in waiting))

    # Looking

    def loads(self, name: str) -> list[Load]:
        """The instructions that load a global, local, cell or attribute of this name."""
        check("name", name, "Variable")
        code = self.code
        columns = code.instructions
        rules = table(code.version)
        numbers: dict[str, int] = {}
        found = []
        for use in instructions_of(code):
            if name not in names_of(columns, use.at, rules):
                continue
            opname = columns.opname(use.at)
            number = numbers[opname] = numbers.get(opname, -1) + 1
            if opname.startswith("LOAD_"):
                found.append(Load(self, name, number, use.at))
        return found

    # Changing

    def constant(self, old: object, new: object, where: Where = ANYWHERE, **how: Any) -> Self:
        """Load another constant; `how` are further fields of `ReplaceConstant`."""
        made = ReplaceConstant(old=old, new=new, where=where, **how)
        return self.apply(made)

    def rename(self, old: str, new: str, where: Where = ANYWHERE, kind: str = "global") -> Self:
        """Look another name up."""
        return self.apply(Rename(old=old, new=new, where=where, kind=kind))

    def insert(self, where: Where, *instructions: Do | Mark, after: bool = False) -> Self:
        """Insert instructions before, or after, each of those chosen."""
        made = self._instructions(instructions)
        return self.apply(Insert(where=where, instructions=made, after=after))

    def replace(self, where: Where, *instructions: Do | Mark) -> Self:
        """Put other instructions in the place of each of those chosen."""
        return self.apply(Replace(where=where, instructions=self._instructions(instructions)))

    def remove(self, where: Where) -> Self:
        """Take out each of the instructions chosen."""
        return self.apply(Remove(where=where))

    def insert_before(self, *, line: int, call: object, args: Iterable[object] = ()) -> Self:
        """Call something whenever the line is about to run.

        Args:
            line: Of the source.
            call: An object; or the name, as text, of a variable that holds it.
            args: Names of variables, as text; any other object is given as it is. Text itself is
                given by `Literal("text")`.
        """
        return self._call(call, args, "instruction", at_line(line))

    # `how` of the hooks are further fields of `InsertCall`: nested=True puts them into nested code
    # too, code="inner" into one nested function, replace=True lets them exchange what leaves.

    def on_entry(self, call: object, args: Iterable[object] = (), **how: Any) -> Self:
        """Call something at the start of each call."""
        return self._call(call, args, "entry", **how)

    def on_exit(self, call: object, args: Iterable[object] = (), **how: Any) -> Self:
        """Call something at each return, yield and exception; `Outcome()` is what leaves.

        A generator or coroutine that is closed leaves by an exception.
        """
        return self._call(call, args, "exit", **how)

    def on_return(self, call: object, args: Iterable[object] = (), **how: Any) -> Self:
        """Call something at each return; with `replace=True` its result is returned instead."""
        return self._call(call, args, "return", **how)

    def on_yield(self, call: object, args: Iterable[object] = (), **how: Any) -> Self:
        """Call something at each yield; with `replace=True` its result is yielded instead."""
        return self._call(call, args, "yield", **how)

    def on_exception(self, call: object, args: Iterable[object] = (), **how: Any) -> Self:
        """Call something when an exception leaves the function.

        With `replace=True` the function returns what the hook returns; what the hook raises
        replaces the exception in any case.
        """
        return self._call(call, args, "exception", **how)

    def wrap_calls(self, where: Where, wrapper: object) -> Self:
        """Make each chosen call, `f(a)`, a call of the wrapper: `wrapper(f, a)`."""
        return self.apply(WrapCall(wrapper=self._loaded(wrapper), where=where))

    def describe(self, **fields: Any) -> Self:
        """Say other things in tracebacks: the fields of `SetMetadata`."""
        return self.apply(SetMetadata(**fields))

    def build(self) -> F:
        """A new function of the edited code, verified, with a receipt.

        Raises:
            NotVerified: The code could crash the interpreter.
            PatchError: It cannot be built.
        """
        new: F = copy(self._request(), self._reached)
        return new

    def in_place(self) -> Patched:
        """The edited code in the function itself: a context manager, a decorator, or `start()`.

        Raises:
            PatchError: When it is entered: see `coscope.patched`.
        """
        return Patched(self._request(), self._reached)

    def _request(self) -> Request:
        self._apply_waiting()
        names = [each for each in self.edits if isinstance(each, SetMetadata) and not each.code]
        return Request(
            tuple(self._made),
            name=next((each.name for each in reversed(names) if each.name), None),
            qualname=next((each.qualname for each in reversed(names) if each.qualname), None),
            kinds=("instructions",) if self.edits else (),
            objects=dict(self._objects),
        )

    # From what was given to data

    def _call(
        self, call: object, args: Iterable[object], at: str, where: Where = ANYWHERE, **how: Any
    ) -> Self:
        made = tuple(map(self._loaded, items("args", args)))
        return self.apply(InsertCall(call=self._loaded(call), args=made, at=at, where=where, **how))

    def _loaded(self, what: object) -> Loaded:
        if isinstance(what, Variable | Outcome | Literal):
            return what
        if is_a(what, str):
            return Variable(str.__str__(what))
        return Literal(what)  # any object: `with_objects` follows

    def _instructions(self, instructions: Iterable[Do | Mark]) -> tuple[Do | Mark, ...]:
        made = tuple(instructions)
        if not all(isinstance(each, Do | Mark) for each in made):
            raise PatchError("this is not an instruction", expected="Do(...) or Mark(...)")
        return made

    def instructions_for(self, what: tuple[Any, ...], load: Load) -> tuple[Do | Mark, ...]:
        """The instructions that a load is replaced by."""
        if all(isinstance(each, Do | Mark) for each in what):
            return self._instructions(what)
        if len(what) > 1:
            raise PatchError("one object, or instructions, can replace a load")
        [thing] = what
        if isinstance(thing, Variable):
            made = self._load_variable(thing.name)
        else:
            made = Do("LOAD_CONST", thing.value if isinstance(thing, Literal) else thing)
        if load.opname != "LOAD_GLOBAL" or not load.oparg & _NULL_FLAG:
            return (made,)
        null = Do("PUSH_NULL")
        assembler = Assembler(decode_listing(self._code))
        return (null, made) if assembler.null_first else (made, null)

    def _load_variable(self, name: str) -> Do:
        assembler = Assembler(decode_listing(self._code))
        if name in assembler.cells:
            return Do("LOAD_DEREF", name)
        if name in assembler.slots:
            checked = "LOAD_FAST_CHECK" in assembler.rules.opcodes
            return Do("LOAD_FAST_CHECK" if checked else "LOAD_FAST", name)
        return Do("LOAD_GLOBAL", name)


def edit(fn: F, *, unwrap: bool = False) -> Editor[F]:
    """Edit the instructions of a function. The function itself stays as it is.

    Args:
        fn: A function, or what wraps one.
        unwrap: Follow `__wrapped__` to the innermost function.

    Returns:
        An editor. Its `build()` gives the new function.

    Raises:
        NoCodeObject, TargetError, PatchError: There is no Python function in it.

    >>> def size(x): return len(x)
    >>> editor = edit(size)
    >>> for load in editor.loads("len"):
    ...     load.replace(max)
    >>> editor.build()([3, 1, 2])
    3
    """
    check("unwrap", unwrap)
    return Editor(reach(fn, unwrap=unwrap))
