"""What is seen of a running process: frozen data."""

from __future__ import annotations

from dataclasses import dataclass

from coscope.model import Value
from coscope.result import Result


@dataclass(frozen=True, slots=True)
class Site:
    """An instruction that the interpreter has replaced by a specialised one."""

    offset: int  # bytes
    opname: str
    executed: str  # the specialised name


@dataclass(frozen=True, slots=True)
class SeenFunction:
    """A function of the process."""

    name: str  # module:qualname
    file: str
    line: int
    instructions: int
    specialized: tuple[Site, ...]
    cells: tuple[tuple[str, Value | None], ...]  # None: the cell is empty


@dataclass(frozen=True, slots=True)
class SeenFrame:
    """One frame of a thread."""

    file: str
    line: int | None
    function: str
    opname: str | None
    argrepr: str
    expression: str | None  # that is being evaluated
    stack: tuple[str, ...]  # symbolic, deepest first
    locals: tuple[tuple[str, Value], ...]
    specialized: int  # instructions of its code
    instructions: int


@dataclass(frozen=True, slots=True)
class SeenThread:
    """One thread."""

    identity: int
    name: str | None
    frames: tuple[SeenFrame, ...]  # outermost first


@dataclass(frozen=True, slots=True)
class Attached(Result):
    """A running process, as it was at one moment."""

    pid: int
    release: str  # of its CPython
    executable: str
    milliseconds: float  # until the answer came
    threads: tuple[SeenThread, ...]
    functions: tuple[SeenFunction, ...]
    notes: tuple[str, ...]
