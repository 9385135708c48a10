"""What the verifier answers: frozen data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from types import CellType
from typing import Any

from coscope.flow.contracts import argument_kind
from coscope.model import NOWHERE, Code, Span
from coscope.opcodes import table
from coscope.result import Result

_IN_ARGUMENTS = 0x4, 0x8  # CO_VARARGS, CO_VARKEYWORDS: one more slot each


VERDICTS = (
    "accepted",  # it cannot crash the interpreter
    "refused",  # something that can was found
    "not decided",  # a bound of work was reached before either was known
)


@dataclass(frozen=True, slots=True)
class Violation:
    """One way in which a code object can harm the interpreter, and where."""

    rule: str  # "VER104"
    message: str  # one clause
    code: str  # qualified name of the code object
    offset: int | None = None  # bytes in co_code
    span: Span = NOWHERE
    opname: str | None = None  # of the instruction at `offset`
    expected: str | None = None
    found: str | None = None
    stack: tuple[str, ...] | None = None  # kinds before the instruction, deepest first
    file: str | None = None
    number: int = 0  # of the code object, in the order of `Code.walk`: names are not unique
    undecided: bool = False  # a bound of work was reached: nothing is proved, either way

    @property
    def line(self) -> int | None:
        """Source line, from 1."""
        return self.span.lineno

    def __str__(self) -> str:
        where = [f"code {self.code!r}"]
        if self.offset is not None:
            where.append(f"byte {self.offset}")
        if self.line is not None:
            where.append(f"line {self.line}")
        text = f"{', '.join(where)}: {self.rule} {self.message}"
        if self.expected is not None:
            text += f"; expected {self.expected}"
        if self.found is not None:
            text += f"{',' if self.expected is not None else ';'} found {self.found}"
        return text


@dataclass(frozen=True, slots=True)
class Contract:
    """How a code object must be entered; the verdict holds only then.

    Whoever makes a function of the code object owes this. For nested code objects the verifier
    has checked it, at the MAKE_FUNCTION that uses them.
    """

    code: str  # qualified name
    freevars: tuple[str, ...]  # the closure is a tuple of so many items, each a cell
    contents: tuple[tuple[str, str], ...]  # free variable, kind: what its cell may hold
    arguments: tuple[tuple[str, str], ...]  # name, kind: `.0` must be an iterator
    called: bool  # arguments are bound by a call; else run with a namespace, without arguments

    def unmet(self, closure: Sequence[Any] | None) -> str | None:
        """What is wrong with a live closure, None if nothing is.

        Args:
            closure: Of the function to be made: `__closure__`.
        """
        found = () if closure is None else closure
        if len(found) != len(self.freevars):
            return (
                f"{self.code!r} has {len(self.freevars)} free variables, "
                f"the closure has {len(found)} cells"
            )
        for name, item in zip(self.freevars, found, strict=True):
            if type(item) is not CellType:
                return f"the closure holds a {type(item).__name__} for {name!r}, not a cell"
        cells = dict(zip(self.freevars, found, strict=True))
        for name, kind in self.contents:
            if not _may_hold(cells[name], kind):
                return f"the cell of {name!r} must hold a {kind} or nothing"
        return None

    def __str__(self) -> str:
        parts = []
        if self.freevars:
            names = ", ".join(self.freevars)
            parts.append(f"a closure of {len(self.freevars)} cells ({names})")
        parts += [f"the cell of {name} holds a {kind} or nothing" for name, kind in self.contents]
        parts += [f"the argument {name} is of the kind {kind}" for name, kind in self.arguments]
        parts.append("arguments bound by a call" if self.called else "run with a namespace")
        return "; ".join(parts)


@dataclass(frozen=True, slots=True)
class Report(Result):
    """The verdict on a code object and those nested in it."""

    name: str  # qualified name of the outermost code object
    version: str  # of CPython, "3.13"
    violations: tuple[Violation, ...]  # everything that was proved wrong, in code order
    contract: Contract  # of the outermost code object
    codes: int  # code objects looked at
    structural: bool  # True: kinds of values were not followed (3.8 to 3.10)
    file: str  # that was read; of a live code object the one that it names
    code: Code = field(compare=False, repr=False)  # the outermost code object
    undecided: tuple[Violation, ...] = ()  # where a bound of work was reached; no finding
    warnings: tuple[str, ...] = ()  # what the reader of the target warned of

    @property
    def ok(self) -> bool:
        """True if it cannot crash the interpreter, when it is entered as `contract` says."""
        return not self.violations and not self.undecided

    @property
    def verdict(self) -> str:
        """One of `VERDICTS`."""
        if self.violations:
            return "refused"
        return "not decided" if self.undecided else "accepted"

    @property
    def refusal(self) -> str | None:
        """Why nothing should run it, one clause; None if it is accepted."""
        if self.violations:
            first = self.violations[0]
            return f"the verifier refuses it: {first.rule} {first.message}"
        return f"not decided: {self.undecided[0].message}" if self.undecided else None


def _may_hold(cell: CellType, kind: str) -> bool:
    try:
        held = cell.cell_contents
    except ValueError:  # it is empty
        return True
    return type(held).__name__ == kind


def contract_of(code: Code) -> Contract:
    """What must hold when the code object is entered."""
    count = code.argcount + code.kwonlyargcount
    count += sum(bool(code.flags & flag) for flag in _IN_ARGUMENTS)
    kinds = [argument_kind(code, slot) for slot in range(min(count, len(code.localsplusnames)))]
    arguments = tuple(
        (name, kind) for name, kind in zip(code.localsplusnames, kinds, strict=False) if kind
    )
    contract = table(code.version).contract
    contents = tuple((name, contract[name]) for name in code.freevars if name in contract)
    called = bool(count) or bool(code.flags & 0x2)  # CO_NEWLOCALS
    return Contract(code.qualname, code.freevars, contents, arguments, called)
