"""What an explanation is made of: frozen data, of which `render/results/explain.py` makes pages."""

from __future__ import annotations

from dataclasses import dataclass

from coscope.model import Span, Value
from coscope.result import Result

# When a value was read: it is the one that the failing instruction had; or it was read when the
# explanation was made, and may have changed since the failure.
THEN, NOW = "then", "now"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a variable may have got its value."""

    how: str  # one of HOW
    line: int | None
    text: str | None  # the expression whose value it is
    recorded: bool = False  # the run itself says so, not the flow of the code


HOW = (
    "assigned",
    "argument",
    "loop",  # an item of `text`
    "unpacked",  # one of the values of `text`
    "with",  # what `text` gave to `with ... as`
    "imported",
    "defined",  # by def or class
    "caught",  # by except ... as
    "enclosing",  # a free variable: an enclosing function assigns it
    "deleted",
    "unassigned",  # no path assigned it
)


@dataclass(frozen=True, slots=True)
class Operand:
    """A value that the failing instruction takes, or one of those that this was made from."""

    text: str  # the expression
    role: str  # name of the stack slot: "owner", "lhs"; empty for what an operand is made from
    value: Value | None  # None: not known
    when: str | None  # THEN, NOW; None where the value is not known
    origins: tuple[Origin, ...]


@dataclass(frozen=True, slots=True)
class SourceLine:
    """One line of source, and the part of it that failed."""

    number: int
    text: str
    start: int | None = None  # characters; None: nothing of this line is marked
    stop: int | None = None


@dataclass(frozen=True, slots=True)
class Stop:
    """One frame of a traceback: where it stood, and on what."""

    file: str
    line: int | None
    function: str  # qualified name
    kind: str  # of the code object, one of `model.KINDS`
    library: bool  # of the standard library or an installed package
    opname: str | None = None  # of the failing instruction; None: not known
    argrepr: str = ""
    offset: int | None = None  # bytes
    span: Span | None = None  # source range of the failing expression
    expression: str | None = None  # its text
    lines: tuple[SourceLine, ...] = ()
    stack: tuple[str, ...] = ()  # texts of the values on the stack, deepest first
    operands: tuple[Operand, ...] = ()
    notes: tuple[str, ...] = ()
    repeated: int = 0  # further frames like this one that are left out


@dataclass(frozen=True, slots=True)
class Related:
    """Another exception, and how it belongs to the one that is explained."""

    relation: str  # "cause", "context" or "member"
    explanation: Diagnosis


@dataclass(frozen=True, slots=True)
class Diagnosis(Result):
    """Why an exception was raised: in which expression, on which values, in plain words."""

    type_name: str
    message: str
    words: tuple[str, ...]  # sentences
    stops: tuple[Stop, ...]  # outermost first
    added: tuple[str, ...] = ()  # notes that the program added to the exception
    related: tuple[Related, ...] = ()
    notes: tuple[str, ...] = ()  # what could not be done, and why
