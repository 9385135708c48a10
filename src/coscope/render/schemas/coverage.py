"""The document of `coverage`

`coscope coverage --json -- ...`.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypedDict

from coscope.render.schemas.shared import Header, Natural, Positive

MissedKind = Annotated[
    str,
    {
        "enum": [
            "right side of and",
            "right side of or",
            "branch of a conditional",
            "filter of a comprehension",
            "element of a comprehension",
            "iterable of a comprehension",
            "body of a lambda",
            "operand of a chained comparison",
            "other",
        ]
    },
]


class MissedExpression(TypedDict):
    """An expression that never ran, though what it is a part of did."""

    line: Positive
    column: Natural  # bytes
    end_line: Positive
    end_column: Natural
    kind: MissedKind
    text: str  # its source on one line, shortened


class CoverageFile(TypedDict):
    """A file of which something ran."""

    path: str
    executed_lines: list[Positive]  # first lines of statements
    missing_lines: list[Positive]
    excluded_lines: list[Positive]
    expressions: Natural  # those reached that run only on a condition inside of an expression
    missing_expressions: list[MissedExpression]


class CoverageDocument(Header):
    """What `coscope coverage --json` prints."""

    command: Literal["coverage"]
    status: int  # exit status of the command
    processes: Natural  # that reported
    files: list[CoverageFile]
    notes: list[str]
    error: None  # as in every document that is not an error
