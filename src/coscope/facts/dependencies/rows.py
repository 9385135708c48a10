"""The rows of a dependency report: what one code object uses, and where it comes from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from coscope.model import Code, Constant, Value
from coscope.readers.attributes import MISSING
from coscope.readers.values import value_of

# How a name is found.
KINDS = (
    "builtin",
    "global",  # of a static target: any global name that is not a builtin's
    "cell",  # a variable of a function around the target
    "class-local-or-global",  # read in a class body: its namespace first, then global and builtin
    "unbound",  # live: neither the globals nor the builtins have it now
    "import",
    "lazy import",  # 3.15: of what is imported when its name is first used
)

ACCESSES = (
    "read",
    "write",
    "delete",
    "import",
    "pass through",  # a cell that only nested code uses
)

ARROW = " -> "


def lines_at(code: Code, offsets: Iterable[int]) -> tuple[int, ...]:
    """Source lines of instructions, each once, in order of the instructions."""
    found = (code.instructions.at(offset).line_number for offset in offsets)
    return tuple(dict.fromkeys(line for line in found if line is not None))


@dataclass(frozen=True, slots=True)
class Dependency:
    """One name or dotted path that one code object uses, and what it is bound to."""

    name: str  # "LOCK", "np.linalg.norm"; of an import "json", "..pkg.x"
    access: str  # one of ACCESSES
    kind: str  # one of KINDS
    path: tuple[str, ...]  # code from the target to the one that uses it: "f", "<lambda>"
    offsets: tuple[int, ...]  # of the instructions, bytes in that code's co_code
    resolved: str | None = None  # the part of the name that `value` belongs to
    empty: bool = False  # a cell that is empty
    code: Code = field(default=None, compare=False, repr=False)  # type: ignore[assignment]
    object: Any = field(default=MISSING, compare=False, repr=False)  # MISSING: nothing is known

    @property
    def root(self) -> str:
        """The variable that a dotted path begins with."""
        return self.name.partition(".")[0]

    @property
    def value(self) -> Value | None:
        """The object as shown; None if there is none, or the target is static."""
        return None if self.object is MISSING else value_of(self.object)

    @property
    def lines(self) -> tuple[int, ...]:
        """Source lines of the uses, each once."""
        return lines_at(self.code, self.offsets)

    @property
    def chain(self) -> str:
        """How the target comes to it: `f -> <lambda> -> helper -> LOCK`."""
        return ARROW.join((*self.path, self.name))


@dataclass(frozen=True, slots=True)
class Embedded:
    """A constant that a code object loads."""

    constant: Constant
    path: tuple[str, ...]
    offsets: tuple[int, ...]  # bytes


@dataclass(frozen=True, slots=True)
class Attribute:
    """An attribute name, of whatever object; those of dotted paths are with their names."""

    name: str
    verbs: tuple[str, ...]  # "read", "write", "delete"
    path: tuple[str, ...]
    offsets: tuple[int, ...]  # bytes


@dataclass(frozen=True, slots=True)
class Dynamic:
    """A builtin that makes names out of data, so that no reading of the code is complete."""

    name: str  # as used: "eval", "importlib.import_module", "run"
    function: str  # what it is: "eval", "getattr", "importlib.import_module"
    path: tuple[str, ...]
    offsets: tuple[int, ...]  # bytes
    lines: tuple[int, ...]
    note: str


@dataclass(frozen=True, slots=True)
class Failure:
    """A use of a name that raises if it is reached. Only certain ones are reported."""

    name: str
    error: str  # "NameError" or "UnboundLocalError"
    reason: str
    path: tuple[str, ...]
    offsets: tuple[int, ...]  # bytes
    lines: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Held:
    """An object that a function holds beside its code: a default, what it wraps, its arguments."""

    name: str  # "default of x", "__wrapped__", "__self__", "partial argument 0"
    path: tuple[str, ...]
    object: Any = field(compare=False, repr=False)

    @property
    def value(self) -> Value:
        """The object as shown."""
        return value_of(self.object)


@dataclass(frozen=True, slots=True)
class Reached:
    """One code object that was looked into."""

    path: tuple[str, ...]
    qualname: str
    kind: str  # in CPython's words: "function", "lambda", "class body"
    file: str
    line: int
    code: Code = field(compare=False, repr=False)
