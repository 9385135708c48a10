"""The documents of `corpus`

`coscope corpus scan|ask|sql|schema|diff ... --json`.
"""

from __future__ import annotations

from typing import Literal, TypedDict

from coscope.render.schemas.shared import Header, Natural


class CorpusScanDocument(Header):
    """What `coscope corpus scan --json` prints."""

    command: Literal["corpus scan"]
    target: str  # folder of the corpus
    python: str  # release that compiled
    details: list[str]  # optional tables that were filled
    places: Natural  # files and members found
    contents: Natural  # different contents among them
    scanned: Natural  # contents that this scan read; the others were stored already
    removed: Natural  # contents whose places are gone
    codes: Natural  # code objects
    instructions: Natural
    parts: Natural
    unread: dict[str, int]  # status -> contents without code objects
    tables: dict[str, int]  # table -> rows
    warnings: list[str]  # of archives
    error: None  # as in every document that is not an error


class CorpusAnswerDocument(Header):
    """What `coscope corpus sql --json` and `coscope corpus ask FOLDER QUESTION --json` print."""

    command: Literal["corpus sql", "corpus ask"]
    target: str  # folder of the corpus
    question: str | None  # name of the built-in question
    title: str | None  # the question itself
    description: str | None  # what is counted
    sql: str
    columns: list[str]
    rows: list[list[bool | int | float | str | None]]  # integers beyond 53 bits as text
    error: None


class CorpusQuestionsDocument(Header):
    """What `coscope corpus ask FOLDER --json` prints."""

    command: Literal["corpus questions"]
    target: str
    questions: list[CorpusQuestion]
    error: None


class CorpusQuestion(TypedDict):
    """A built-in question."""

    name: str
    title: str
    description: str
    sql: str
    picture: bool  # it can be drawn


class CorpusSchemaDocument(Header):
    """What `coscope corpus schema --json` prints."""

    command: Literal["corpus schema"]
    target: str
    version: Natural  # of the schema
    tables: list[CorpusTable]
    error: None


class CorpusTable(TypedDict):
    """A table."""

    name: str
    description: str
    detail: str | None  # the detail of a scan that fills it; null: every scan does
    columns: list[CorpusColumn]


class CorpusColumn(TypedDict):
    """A column."""

    name: str
    type: str  # of Arrow
    description: str


class CorpusDiffDocument(Header):
    """What `coscope corpus diff --json` prints."""

    command: Literal["corpus diff"]
    target: str  # folder of the first corpus
    other: str
    python: list[str]  # the releases that compiled the two
    totals: list[CorpusTotal]
    files: list[CorpusFileChange]
    codes: list[CorpusCodeChange]
    opcodes: list[CorpusOpcodeChange]
    error: None


class CorpusTotal(TypedDict):
    """How many rows a table has."""

    table: str
    before: Natural
    after: Natural


class CorpusFileChange(TypedDict):
    """A file that is not the same in both."""

    place: str  # path below its input, `archive::member`
    change: Literal["added", "removed", "changed"]


class CorpusCodeChange(TypedDict):
    """A code object that is not the same in both."""

    place: str
    qualname: str
    change: Literal["added", "removed", "changed"]
    before: int | None  # instructions
    after: int | None


class CorpusOpcodeChange(TypedDict):
    """An opcode that occurs more or less often."""

    opname: str
    before: Natural
    after: Natural
    difference: int
