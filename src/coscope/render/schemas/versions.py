"""Documents of several versions, aligned

`coscope.render.document.versions.versions_of(documents)` makes it of the documents that several
compilers gave for one source text; `coscope dis FILE --versions A,B --json` prints it.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypedDict

from coscope.render.schemas.report import Document
from coscope.render.schemas.shared import CodeKind, Header, Natural, Version

VersionsRowKind = Annotated[str, {"enum": ["same", "changed", "some"]}]


class VersionsDocument(Header):
    """One source text as several versions compile it; every list has an entry for each version."""

    command: Literal["versions"]
    target: str
    documents: list[Document]  # one for each version, in the order in which they were given
    codes: list[VersionsCode]  # in the order of the first document, those that it lacks behind
    opcodes: list[VersionsOpcode]  # that not all of them use equally often, in alphabetical order
    error: None  # as in every document that is not an error


class VersionsCode(TypedDict):
    """A code object in all versions, found by its key."""

    key: str
    kind: CodeKind
    at: list[Natural | None]  # its index in `codes` of each document; null: it has none
    same: bool  # every row is the same, and no fact differs
    rows: list[VersionsRow]  # empty where a document has no detail of it
    facts: list[VersionsFact]  # that differ


class VersionsRow(TypedDict):
    """Instructions that do the same for the same source, side by side."""

    # "same": equal but for jump distances; "changed": others for the same source; "some": not in
    # every version
    kind: VersionsRowKind
    at: list[Natural | None]  # index in `instructions` of each version; null: nothing there


class VersionsFact(TypedDict):
    """A property that differs."""

    what: str  # "instructions", "bytes", "stack", "blocks", "constants", ...
    values: list[str | None]  # null: this version has no such code object
    note: str | None  # why it matters, where that can be said


class VersionsOpcode(TypedDict):
    """An opcode that not all versions use equally often."""

    name: str
    counts: list[Natural]  # how often each version's code objects have it
    known: list[Version]  # every version that has such an opcode, oldest first
    sentence: str  # what it does, in the newest version here that has it
