"""The common language of coscope's rooms: frozen, host-independent data.

A `Code` names its CPython version and holds bytes, names and constants. It is never a live
`types.CodeType`, so a 3.8 code object can be read on a 3.13 host without building anything that
the host could run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from coscope.findings import CONFIDENCES as CONFIDENCES
from coscope.findings import SEVERITIES as SEVERITIES
from coscope.findings import Evidence as Evidence
from coscope.findings import Finding as Finding
from coscope.findings import Step as Step
from coscope.flags import FAST_CELL as FAST_CELL
from coscope.flags import FAST_FREE as FAST_FREE
from coscope.flags import FAST_HIDDEN as FAST_HIDDEN
from coscope.flags import FAST_LOCAL as FAST_LOCAL
from coscope.flags import Flags as Flags
from coscope.span import NOWHERE as NOWHERE
from coscope.span import Span as Span


class Region(NamedTuple):
    """One protected range of instructions (3.11+: an entry of `co_exceptiontable`)."""

    start: int  # byte offset in co_code, inclusive
    stop: int  # byte offset in co_code, exclusive
    target: int  # byte offset of the handler
    depth: int  # stack slots kept when the handler starts
    keeps_lasti: bool  # the handler finds the faulting offset on the stack


@dataclass(frozen=True, slots=True)
class FrozenSet:
    """A frozenset constant, in stored order and never hashed.

    Hashing untrusted items is quadratic when they collide, and the order is part of the file.
    """

    items: tuple[Constant, ...]


@dataclass(frozen=True, slots=True)
class Slice:
    """A slice constant (3.14+)."""

    start: Constant
    stop: Constant
    step: Constant


@dataclass(frozen=True, slots=True)
class Collection:
    """A list, set, dict or frozendict in a marshalled file, in stored order and never hashed.

    No compiler emits one as a constant; a crafted file, or one that holds no code, may.
    """

    kind: str  # "list", "set", "dict" or "frozendict"
    items: tuple[Constant, ...]  # of a dict: (key, value) pairs


@dataclass(frozen=True, slots=True)
class Opaque:
    """A constant that no compiler emits: a live object that somebody put into `co_consts`.

    Only its type and identity are kept. Its `__repr__`, `__eq__` and `__hash__` are never called.
    """

    type_name: str  # module-qualified
    identity: int  # id() in this process


# What a constant may be. Tuples hold constants; StopIteration is the class itself (marshal's 'S').
# Atoms: None, bool, int, float, complex, str, bytes, Ellipsis, StopIteration.
Constant = Any


class Instruction:
    """One instruction, with `dis`'s names. A light view into the columns of its code object.

    EXTENDED_ARG prefixes are instructions of their own, inline caches are not shown, as in
    `dis.get_instructions`.
    """

    __slots__ = ("_columns", "index")

    _columns: Instructions
    index: int  # position in `Code.instructions`

    def __init__(self, columns: Instructions, index: int) -> None:
        self._columns = columns
        self.index = index

    @property
    def offset(self) -> int:
        """Byte offset in `co_code`."""
        return self._columns.offsets[self.index]

    @property
    def end_offset(self) -> int:
        """Byte offset after the instruction and its inline caches."""
        return self._columns.end_offset(self.index)

    @property
    def opcode(self) -> int:
        """The number as stored; 0 to 255."""
        return self._columns.opcodes[self.index]

    @property
    def opname(self) -> str:
        """The name in this version; `<n>` for a number that it does not define."""
        return self._columns.opname(self.index)

    @property
    def arg(self) -> int | None:
        """The oparg with its EXTENDED_ARG prefixes applied; None if the opcode takes none."""
        return self._columns.arg(self.index)

    @property
    def argval(self) -> Any:
        """What the oparg means: a constant, a name, a target offset, ...; else `arg`."""
        return self._columns.argval(self.index)

    @property
    def argrepr(self) -> str:
        """`argval` as text, empty where there is nothing to add to `arg`."""
        return self._columns.argrepr(self.index)

    @property
    def positions(self) -> Span:
        """Source range."""
        return self._columns.positions[self.index]

    @property
    def line_number(self) -> int | None:
        """Source line, or None."""
        return self._columns.positions[self.index][0]

    @property
    def starts_line(self) -> bool:
        """True if a line of the line table starts here (`dis` of 3.13; before, an int)."""
        return self._columns.starts_line(self.index)

    @property
    def jump_target(self) -> int | None:
        """Byte offset to which this instruction may jump, or None."""
        return self._columns.jump_target(self.index)

    @property
    def is_jump_target(self) -> bool:
        """True if a jump leads here. A handler alone is none, as in `dis.get_instructions`."""
        return self._columns.offsets[self.index] in self._columns.jump_targets

    def __repr__(self) -> str:
        arg = "" if self.arg is None else f" {self.arg}"
        shown = f" ({self.argrepr})" if self.argrepr else ""
        return f"<Instruction {self.offset} {self.opname}{arg}{shown}>"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Instruction):
            return NotImplemented
        return self.index == other.index and self._columns.code == other._columns.code

    def __hash__(self) -> int:
        return hash((self.index, self._columns.code.code))


class Instructions(Protocol):
    """The decoded instructions of one code object: columns, and `Instruction` views of them.

    Made by `codec.decode`; every column has one entry for each instruction.
    """

    code: Code
    offsets: Sequence[int]  # bytes
    opcodes: Sequence[int]
    opargs: Sequence[int]  # 0 where the opcode takes none
    plain: bool  # every cache unit is whole and zero, no opcode is 0

    @property
    def positions(self) -> Sequence[Span]: ...
    @property
    def jump_targets(self) -> frozenset[int]: ...

    def opname(self, index: int) -> str: ...
    def arg(self, index: int) -> int | None: ...
    def argval(self, index: int) -> Any: ...
    def argrepr(self, index: int) -> str: ...
    def end_offset(self, index: int) -> int: ...
    def starts_line(self, index: int) -> bool: ...
    def jump_target(self, index: int) -> int | None: ...
    def at(self, offset: int) -> Instruction: ...
    def __len__(self) -> int: ...
    def __getitem__(self, index: int, /) -> Instruction: ...
    def __iter__(self) -> Iterator[Instruction]: ...


@dataclass(frozen=True, slots=True, repr=False)
class Code:
    """One code object. CPython's field names without `co_`, and the version that they are of."""

    version: str  # "3.13": names the opcode table
    name: str
    qualname: str  # before 3.11 derived from the nesting, where known
    filename: str
    firstlineno: int
    argcount: int  # positional arguments, positional-only included, *args not
    posonlyargcount: int
    kwonlyargcount: int
    nlocals: int
    stacksize: int  # slots
    flags: Flags
    code: bytes  # co_code: base opcodes, caches zero, when read from a live object
    consts: tuple[Constant, ...]
    names: tuple[str, ...]
    varnames: tuple[str, ...]
    cellvars: tuple[str, ...]
    freevars: tuple[str, ...]
    linetable: bytes  # co_lnotab to 3.9, co_linetable from 3.10
    exceptiontable: bytes = b""  # 3.11+
    # The unified fast locals in slot order. Before 3.11: varnames + cellvars + freevars.
    localsplusnames: tuple[str, ...] = ()
    localspluskinds: bytes = b""  # FAST_* flags, one byte a slot; to 3.10 derived
    release: str | None = None  # "3.13.0" where known: the magic number is not the version
    # Not of the constructor, so that `dataclasses.replace` never carries them to other bytes.
    _columns: list[Instructions] = field(
        default_factory=list, init=False, compare=False, repr=False
    )

    def __repr__(self) -> str:
        """Short: it stands in tracebacks and in the documents of errors."""
        return f"<Code {self.qualname} of {self.filename}:{self.firstlineno}, {self.version}>"

    @property
    def instructions(self) -> Instructions:
        """The decoded instructions, made at first use and kept.

        Raises:
            CodeError: The bytes are no instruction sequence of this version.
        """
        if not self._columns:
            self._columns.append(_decoder[0](self))
        return self._columns[0]

    @property
    def kind(self) -> str:
        """What this is, in CPython's own words: see `KINDS`."""
        return kind_of(self)

    def walk(self) -> Iterator[Code]:
        """This code object, then every nested one, depth first in constant order."""
        pending = [self]
        while pending:
            code = pending.pop()
            yield code
            pending.extend(reversed([c for c in code.consts if isinstance(c, Code)]))


# Set by `codec`, which lies on a higher floor: [0] decodes a Code.
_decoder: list[Callable[[Code], Instructions]] = []


def bind_decoder(decode: Callable[[Code], Instructions]) -> None:
    """Tell `Code.instructions` how to decode. `codec/__init__.py` calls it once."""
    _decoder[:] = [decode]


KINDS = (
    "module",
    "class body",
    "function",
    "lambda",
    "list comprehension",
    "set comprehension",
    "dict comprehension",
    "generator expression",
    "async generator expression",
    "generator",
    "coroutine",
    "async generator",
    "type parameters",  # PEP 695 scope, 3.12+
    "annotations",  # PEP 649 function, 3.14+
)

_NAMED_KINDS = {
    "<lambda>": "lambda",
    "<listcomp>": "list comprehension",
    "<setcomp>": "set comprehension",
    "<dictcomp>": "dict comprehension",
    "__annotate__": "annotations",
}


def kind_of(code: Code) -> str:
    """One of `KINDS`, from flags and name."""
    flags = code.flags
    if code.name == "<genexpr>":
        return "async generator expression" if flags & 0x200 else "generator expression"
    if code.name in _NAMED_KINDS:
        return _NAMED_KINDS[code.name]
    if code.name.startswith("<generic parameters of "):
        return "type parameters"
    if flags & 0x200:
        return "async generator"
    if flags & 0x80:
        return "coroutine"
    if flags & 0x20:
        return "generator"
    if flags & 0x2:  # NEWLOCALS: called with a fresh namespace
        return "function"
    return "module" if code.name == "<module>" else "class body"


@dataclass(frozen=True, slots=True)
class Value:
    """A live object as shown: never its own `__repr__` unless it is of a built-in type."""

    type_name: str  # "int", "numpy.ndarray"
    text: str  # reprlib of built-in types, else "<type at 0x...>"; at most about 80 characters
    identity: int  # id() in this process
    object: Any = field(default=None, compare=False, repr=False)  # the object itself


@dataclass(frozen=True, slots=True)
class Cell:
    """One free variable of a live function and the cell that holds it."""

    name: str
    index: int  # in co_freevars and __closure__
    identity: int  # id() of the cell
    value: Value | None  # None: the cell is empty
    object: Any = field(default=None, compare=False, repr=False)  # the cell itself

    @property
    def empty(self) -> bool:
        """True if reading the variable raises NameError."""
        return self.value is None


@dataclass(frozen=True, slots=True)
class Argument:
    """One parameter, or one further fast local."""

    slot: int  # in the fast locals
    name: str
    kind: str  # see ARGUMENT_KINDS
    default: Value | None = None
    cell: bool = False  # a parameter that nested code captures (also in cellvars)


ARGUMENT_KINDS = (
    "positional-only",
    "positional-or-keyword",
    "*args",
    "keyword-only",
    "**kwargs",
    "local",
    "hidden local",  # of an inlined comprehension in a class or module: `locals()` has it not
    "cell",
    "free",
)


@dataclass(frozen=True, slots=True)
class Source:
    """The text that a code object was compiled from, as far as it can be had."""

    file: str
    lines: tuple[str, ...]  # lines of the whole file, without line ends
    sha256: str


@dataclass(frozen=True, slots=True)
class Function:
    """What `coscope.read` gives: a code object and all that is known around it.

    For a static target (a file, a .pyc) it holds the code alone: `live` is False, and defaults,
    cells and globals are empty.
    """

    code: Code
    name: str
    qualname: str
    module: str | None
    origin: str  # "live", "source", "pyc" or "interpreter"
    live: bool
    doc: str | None = None
    defaults: tuple[Value, ...] = ()
    kwdefaults: tuple[tuple[str, Value], ...] = ()
    annotations: tuple[tuple[str, str], ...] = ()  # name, shown text; never evaluated
    cells: tuple[Cell, ...] = ()
    attributes: tuple[tuple[str, Value], ...] = ()  # __dict__ of the function, __wrapped__ included
    source: Source | None = None
    via: tuple[str, ...] = ()  # steps from the target to this function: "functools.partial.func"
    warnings: tuple[str, ...] = ()
    object: Any = field(default=None, compare=False, repr=False)  # the types.FunctionType

    @property
    def locals(self) -> tuple[Argument, ...]:
        """Every fast local by slot: parameters, locals, cells, free variables."""
        return tuple(_locals_of(self))

    @property
    def arguments(self) -> tuple[Argument, ...]:
        """The parameters, in signature order of the slots."""
        return tuple(a for a in self.locals if a.kind in ARGUMENT_KINDS[:5])


def _kind_of_slot(bits: int) -> str:
    """Of a fast local that is no parameter."""
    if bits & FAST_FREE:
        return "free"
    if bits & FAST_CELL and not bits & FAST_LOCAL:
        return "cell"
    if bits & FAST_HIDDEN:
        return "hidden local"
    return "cell" if bits & FAST_CELL else "local"


def _locals_of(function: Function) -> Iterator[Argument]:
    code = function.code
    cells = set(code.cellvars)
    kinds = ["positional-only"] * code.posonlyargcount
    kinds += ["positional-or-keyword"] * (code.argcount - code.posonlyargcount)
    kinds += ["keyword-only"] * code.kwonlyargcount
    kinds += ["*args"] * bool(code.flags & 0x4) + ["**kwargs"] * bool(code.flags & 0x8)
    defaults: dict[str, Value] = dict(function.kwdefaults)
    positional = code.varnames[: code.argcount]
    if function.defaults:
        defaults.update(zip(positional[-len(function.defaults) :], function.defaults, strict=False))
    for slot, name in enumerate(code.localsplusnames):
        if slot < len(kinds):
            yield Argument(slot, name, kinds[slot], defaults.get(name), name in cells)
        elif slot < len(code.localspluskinds):
            bits = code.localspluskinds[slot]
            yield Argument(slot, name, _kind_of_slot(bits), None, bool(bits & FAST_CELL))
