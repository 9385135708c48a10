"""Edits as data: frozen, comparable, printable; `documents` turns them into JSON and back.

An edit says what to change in one code object, or with `nested` in those inside it too. Edits are
applied in order, so that the offsets and lines of one are those that the edits before it left.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from coscope.model import Constant


@dataclass(frozen=True, slots=True)
class Where:
    """A choice of instructions: those for which every field that is set holds.

    >>> at_line(12) & opcode("CALL")
    Where(line=12, offset=None, opname='CALL', name=None, nth=None, calls=None)
    """

    line: int | None = None  # source line
    offset: int | None = None  # bytes in co_code, of the instruction or of its prefixes
    opname: str | None = None
    name: str | None = None  # what the oparg names: a global, attribute, local, cell
    nth: int | None = None  # only this one of them, from 0 in code order; -1 is the last
    calls: str | None = None  # calls whose callee is loaded by this name: "len", "os.path.join"

    def __and__(self, other: Where) -> Where:
        """Both conditions; where both set a field, that of `other` counts."""
        fields = {name: getattr(other, name) for name in self.__slots__}
        return replace(self, **{name: value for name, value in fields.items() if value is not None})


ANYWHERE = Where()


def at_line(line: int) -> Where:
    """The instructions of a source line."""
    return Where(line=line)


def at_offset(offset: int) -> Where:
    """The instruction at a byte offset of `co_code`."""
    return Where(offset=offset)


def opcode(opname: str) -> Where:
    """The instructions with this opcode, by its name in the version of the code."""
    return Where(opname=opname)


def uses(name: str) -> Where:
    """The instructions whose oparg names this: a global, an attribute, a local, a cell."""
    return Where(name=name)


def calls(name: str) -> Where:
    """The calls of what a name, also a dotted one, loads: `calls("len")`, `calls("self.read")`.

    A call counts if on every path its callee comes from that name.
    """
    return Where(calls=name)


# What a call gets


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant, as the model holds it."""

    value: Constant


@dataclass(frozen=True, slots=True)
class Variable:
    """A name as the code would read it: its local, cell or free variable, else a global."""

    name: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a hook on exit is about: the value returned or yielded, or the exception."""


Loaded = Literal | Variable | Outcome


# Instructions to insert


@dataclass(frozen=True, slots=True)
class Do:
    """One instruction to insert.

    `arg` is what the oparg means: the value of a constant, the name of a variable or attribute, the
    name of a `Mark` for a jump, else the oparg itself. `flag` holds the bits below an index, such
    as the one by which LOAD_GLOBAL pushes a NULL.
    """

    opname: str
    arg: object = None
    flag: int = 0


@dataclass(frozen=True, slots=True)
class Mark:
    """A place among inserted instructions to which their jumps can lead.

    The place of the instruction at which they are inserted is called "here".
    """

    name: str


# Edits


@dataclass(frozen=True, slots=True)
class Edit:
    """What all edits say: in which code objects."""

    code: str | None = None  # qualified name of the code object inside; None: the outermost
    nested: bool = False  # also in every code object inside that one


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplaceConstant(Edit):
    """Load another constant.

    Constants match by value and type, and by the sign of zero: 1 matches neither True nor 1.0.
    """

    old: Constant
    new: Constant
    where: Where = ANYWHERE
    index: int | None = None  # only if it is this entry of co_consts
    loose: bool = False  # match whatever is equal, as Python's == says
    folded: str = "refuse"  # constants that hold `old`: "refuse" the edit, "leave", "replace"
    compiler_made: bool = False  # also what no literal of the source stands for


@dataclass(frozen=True, slots=True, kw_only=True)
class Rename(Edit):
    """Use another name: of a global, an attribute or an imported module."""

    old: str
    new: str
    where: Where = ANYWHERE
    kind: str = "global"  # "global", "attribute", "import" or "any"


@dataclass(frozen=True, slots=True, kw_only=True)
class Insert(Edit):
    """Insert instructions before, or after, each of those chosen."""

    where: Where
    instructions: tuple[Do | Mark, ...]
    after: bool = False  # behind it, reached from it alone
    landing: bool = True  # jumps to the instruction run the inserted ones too
    inseparable: str = "refuse"  # where nothing may be inserted: "refuse" the edit, or "skip"


@dataclass(frozen=True, slots=True, kw_only=True)
class Replace(Edit):
    """Put other instructions in the place of each of those chosen."""

    where: Where
    instructions: tuple[Do | Mark, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Remove(Edit):
    """Take out each of the instructions chosen."""

    where: Where


EXITS = ("return", "yield", "exception")


@dataclass(frozen=True, slots=True, kw_only=True)
class InsertCall(Edit):
    """Call something, and drop what it returns; with `replace`, use it.

    `at` is "entry", "return", "yield", "exception", "exit" (those three), or "instruction": before
    the first instruction of each run of chosen ones, so that `at_line` calls once a line. A
    `yield from` or `await` passes on what another one yields, and does not count as a yield here.
    """

    call: Loaded
    args: tuple[Loaded, ...] = ()
    at: str = "entry"
    where: Where = ANYWHERE
    replace: bool = False  # return or yield what it returns; instead of raising, return it


@dataclass(frozen=True, slots=True, kw_only=True)
class WrapCall(Edit):
    """Make each chosen call, `f(a, k=b)`, a call of the wrapper: `wrapper(f, a, k=b)`."""

    wrapper: Loaded
    where: Where


@dataclass(frozen=True, slots=True, kw_only=True)
class SetMetadata(Edit):
    """Say other things in tracebacks.

    With `nested`, the file name and the lines of the code objects inside change too. All lines move
    with the first one.
    """

    name: str | None = None
    qualname: str | None = None
    filename: str | None = None
    firstlineno: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AtOnce(Edit):
    """Several edits of constants, or several of names, none of which sees what another changes.

    So `{1: 2, 2: 1}` swaps. Its own `code` and `nested` say nothing; those of its edits count.
    """

    edits: tuple[ReplaceConstant, ...] | tuple[Rename, ...]


AnyEdit = (
    ReplaceConstant
    | Rename
    | Insert
    | Replace
    | Remove
    | InsertCall
    | WrapCall
    | SetMetadata
    | AtOnce
)
