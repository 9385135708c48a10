"""The document of `diff`

`coscope diff A B --json`, and `coscope.diff(...).to_json()`.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypedDict

from coscope.render.schemas.shared import Header, Verdict

RowKind = Annotated[str, {"enum": ["same", "removed", "added", "changed", "gap"]}]


class DiffSide(TypedDict):
    """One instruction of a pair."""

    text: str  # canonical; a jump names its target block
    block: str
    line: int | None
    offset: int  # bytes


class DiffRow(TypedDict):
    """One row of the aligned instructions."""

    # `changed`: a jump that leads elsewhere; `gap`: equal rows are left out
    kind: RowKind
    left: DiffSide | None
    right: DiffSide | None


class DiffFact(TypedDict):
    """One property that differs."""

    what: str  # `flags`, `parameters`, `constants`, `default of x`
    left: str  # empty if only the other has it
    right: str


class DiffCode(TypedDict):
    """A pair of code objects that differ in what they do."""

    left: str  # qualified name
    right: str
    facts: list[DiffFact]
    rows: list[DiffRow]


class DiffRead(TypedDict):
    """One of the two that were compared."""

    name: str
    file: str
    version: str
    release: str | None
    codes: int  # code objects, nested ones too
    warnings: list[str]  # of the reader: another release's magic number, bytes left over, ...


class DiffDocument(Header):
    """What `coscope diff --json` prints."""

    command: Literal["diff"]
    target: str  # both qualified names
    verdict: Verdict
    text: str  # the verdict in words
    left: DiffRead
    right: DiffRead
    harmless: list[str]  # what differs without any effect
    codes: list[DiffCode]
    removed: list[str]  # code objects that only the left one has
    added: list[str]
    unknown: list[str]  # defaults and cells that cannot be compared by content
    error: None  # as in every document that is not an error
