"""The document of `attach`

`coscope attach PID --json`.
"""

from __future__ import annotations

from typing import Literal, TypedDict

from coscope.render.schemas.shared import Header, Natural, Value


class AttachLocal(TypedDict):
    """A local variable or a cell."""

    name: str
    value: Value | None  # null: the cell is empty


class AttachFrame(TypedDict):
    """One frame of a thread."""

    file: str
    line: int | None
    function: str  # qualified name
    opname: str | None  # of the instruction at which it stands
    argrepr: str
    expression: str | None  # that is being evaluated
    stack: list[str]  # expressions on the stack, deepest first
    locals: list[AttachLocal]
    instructions: Natural  # of its code
    specialized: Natural  # of these, executed in a specialised form


class AttachThread(TypedDict):
    """One thread."""

    identity: int
    name: str | None
    frames: list[AttachFrame]  # outermost first


class AttachSite(TypedDict):
    """An instruction that is executed in a specialised form."""

    offset: Natural  # bytes
    opname: str
    executed: str


class AttachFunction(TypedDict):
    """A function of the process."""

    name: str  # module:qualname
    file: str
    line: int
    instructions: Natural
    specialized: list[AttachSite]
    cells: list[AttachLocal]


class AttachDocument(Header):
    """What `coscope attach --json` prints."""

    command: Literal["attach"]
    pid: Natural
    release: str  # of its CPython
    executable: str
    milliseconds: float  # until the answer came
    threads: list[AttachThread]
    functions: list[AttachFunction]  # most specialised first
    notes: list[str]
    error: None  # as in every document that is not an error
