"""The document of `verify`

`coscope verify TARGET... --json`.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypedDict

from coscope.render.schemas.report import Error
from coscope.render.schemas.shared import Header

VerifyVerdict = Annotated[str, {"enum": ["accepted", "refused", "not decided"]}]


class VerifyTotals(TypedDict):
    """Counts over all targets."""

    targets: int  # that could be read
    codes: int  # code objects
    violations: int
    faulty_codes: int  # code objects with a violation
    undecided: int  # places at which a bound of work was reached
    errors: int  # targets that could not be read
    structural: int  # targets of 3.8 to 3.10: structural only


class VerifyOpening(Header):
    """What is known before the first report."""

    command: Literal["verify"]
    target: str  # all targets as the user named them; of a `Report` the qualified name


class VerifyClosing(TypedDict):
    """What is known after the last report."""

    ok: bool  # everything could be read, and nothing violates a rule
    totals: VerifyTotals
    # what broke off the work; a target that cannot be read has an error of its own
    error: Error | None


class VerifyDocument(VerifyOpening, VerifyClosing):
    """What `coscope verify --json` prints, for all targets together."""

    # one for each file, code object or function, in the order of the targets
    reports: list[VerifyReport]


class VerifyReport(TypedDict):
    """What is said of one target, nested code objects included."""

    target: str  # as the user named it, or as it was found in a folder
    # it could be read, and cannot crash the interpreter if it is entered as `contract` says
    ok: bool
    # "not decided": a bound of work was reached before either of the others was known
    verdict: VerifyVerdict | None
    file: str | None  # that was read; of a live function the one that its code object names
    name: str | None  # qualified name of the outermost code object
    whole: bool | None  # it is the code of a whole file
    version: str | None  # of CPython
    release: str | None  # of CPython, where it is known
    structural: bool | None  # kinds of values were not followed (3.8 to 3.10)
    codes: int  # code objects
    contract: VerifyContract | None
    violations: list[VerifyViolation]  # all of them, in code order
    undecided: list[VerifyViolation]  # where a bound of work was reached; no violations
    warnings: list[str]  # of the reader: another release's magic number, bytes left over, ...
    error: Error | None  # why it could not be read


class VerifyContractContent(TypedDict):
    """What a constant or cell must hold."""

    name: str
    kind: str  # what the cell may hold


class VerifyContractArgument(TypedDict):
    """One argument."""

    name: str
    kind: str  # `.0` must be an iterator


class VerifyContract(TypedDict):
    """How the outermost code object must be entered; the verdict holds only then."""

    freevars: list[str]  # the closure is a tuple with one cell for each of these
    contents: list[VerifyContractContent]  # free variables whose cells may not hold just anything
    arguments: list[VerifyContractArgument]  # arguments that may not be just anything
    called: bool  # arguments are bound by a call; else it runs with a namespace
    text: str  # the same in words


class VerifyViolation(TypedDict):
    """One way in which a code object can harm the interpreter."""

    rule: str  # `VER104`; `coscope rule` explains it
    title: str  # of the rule
    message: str  # what is wrong here, one clause
    number: int  # of the code object, depth first from 0: names are not unique
    code: str  # qualified name of the code object
    file: str | None  # that was read
    filename: str  # the source file that the code object names; `line` is a line of it
    line: int | None
    offset: int | None  # bytes in `co_code`
    opname: str | None  # of the instruction at `offset`
    expected: str | None
    found: str | None
    # kinds of the values before the instruction, deepest first; null if not known
    stack: list[str] | None
    instructions: list[VerifyInstruction]  # the one at `offset` and up to two on each side


class VerifyInstruction(TypedDict):
    """One instruction near a violation."""

    offset: int  # bytes
    opname: str
    arg: int | None
    argrepr: str
    here: bool  # the one at the violation's offset, or in which that lies
