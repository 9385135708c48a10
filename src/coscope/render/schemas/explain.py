"""The document of `explain`

`coscope explain ... --json`, and `coscope.explain(...).to_json()`.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypedDict

from coscope.render.schemas.shared import CodeKind, Header, Natural, Positions, Positive, Value

OriginKind = Annotated[
    str,
    {
        "enum": [
            "assigned",
            "argument",
            "loop",
            "unpacked",
            "with",
            "imported",
            "defined",
            "caught",
            "enclosing",
            "deleted",
            "unassigned",
        ]
    },
]
Reading = Annotated[str, {"enum": ["then", "now"]}]
Relation = Annotated[str, {"enum": ["cause", "context", "member"]}]


class ExplainOrigin(TypedDict):
    """Where a variable may have got its value."""

    how: OriginKind
    line: int | None
    text: str | None  # the expression whose value, item or part it is
    recorded: bool  # a recorded run says so; else the flow of the code


class ExplainOperand(TypedDict):
    """A value that the failing instruction took, or one that this was made from."""

    text: str  # the expression
    role: str  # name of the stack slot; empty for what an operand is made from
    value: Value | None  # null: not known
    # "then": certainly the value when it failed; "now": read afterwards; null: not known
    when: Reading | None
    origins: list[ExplainOrigin]


class ExplainLine(TypedDict):
    """A line of source, and the part of it that failed."""

    number: Positive
    text: str
    start: Natural | None  # characters; null: nothing of the line is marked
    stop: Natural | None


class ExplainStop(TypedDict):
    """One frame, and where it stood."""

    file: str
    line: int | None
    function: str  # qualified name
    kind: CodeKind
    library: bool  # code of the standard library or of an installed package
    opname: str | None  # failing instruction; null: the frame is listed without detail
    argrepr: str
    offset: Natural | None  # of the instruction, in bytes
    span: Positions | None  # of the failing expression
    expression: str | None
    lines: list[ExplainLine]
    stack: list[str]  # expressions on the stack, deepest first
    operands: list[ExplainOperand]
    notes: list[str]
    repeated: Natural  # further calls like this one that are left out


class ExplainRelated(TypedDict):
    """Another exception: the cause, the one that was being handled, a member of a group."""

    relation: Relation
    exception: ExplainException


class ExplainException(TypedDict):
    """One exception."""

    type: str
    message: str
    words: list[str]  # sentences: what failed and why
    frames: list[ExplainStop]  # outermost first
    added: list[str]  # notes that the program added to the exception
    related: list[ExplainRelated]
    notes: list[str]  # what could not be found out


class ExplainDocument(Header):
    """What `coscope explain --json` prints."""

    command: Literal["explain"]
    exceptions: list[ExplainException]  # one; those of a text as they stand in it
    error: None  # as in every document that is not an error
