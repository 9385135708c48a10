"""The document of `audit`

`coscope audit TARGET... --json`.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypedDict

from coscope.render.schemas.report import Error
from coscope.render.schemas.shared import Confidence, Header, Severity

Mode = Annotated[str, {"enum": ["static", "live", "warm"]}]


class AuditTotals(TypedDict):
    """Counts over all files."""

    files: int  # that were looked at
    codes: int  # code objects in them
    findings: int
    shown: int  # of them, in this document: fewer with --top
    errors: int  # findings of this severity
    warnings: int
    infos: int
    ignored: int  # findings that comments take away
    known: int  # findings that are in the baseline
    unread: int  # targets that could not be read


class AuditDocument(Header):
    """What `coscope audit --json` prints."""

    command: Literal["audit"]
    target: str  # all targets as the user named them
    mode: Mode  # files alone, imported packages, or code that has run
    findings: list[AuditFinding]  # by file and place
    unused_ignores: list[AuditIgnore]  # comments that take nothing away, if every rule ran
    unread: list[Error]  # what could not be read
    fixes: list[AuditFix]  # of --fix and --diff
    statistics: list[AuditCount]  # by rule, the most first
    totals: AuditTotals
    error: None


class AuditFinding(TypedDict):
    """One thing that a rule has to say about one place."""

    rule: str  # `DYN101`; `coscope rule` explains it
    title: str  # of the rule
    url: str  # of the page of the rule
    message: str  # one clause
    severity: Severity
    # proved: it cannot be otherwise; measured: by a clock, here; likely: unless something unseen
    # makes it untrue
    confidence: Confidence
    code: str  # qualified name of the code object
    target: str | None  # `package.module:name` of a live object
    file: str | None
    cell: int | None  # of a notebook: number among its cells, from 1
    line: int | None  # from 1; of a notebook in the cell
    column: int | None  # in characters, from 1
    end_line: int | None
    end_column: int | None  # behind the last character
    offset: int | None  # byte offset in co_code
    version: str  # of the CPython for which it is true
    source: str | None  # text of the line
    evidence: list[AuditEvidence]
    flow: list[AuditStep]  # the way of a value from its source to the sink; else empty
    why: str  # why it matters on this version
    instead: str  # what to write instead
    # that each operation loses, measured alone in a loop on this machine in this run
    nanoseconds: float | None
    runs: int | None  # how often the operation was executed in the command of `--warm`, at most
    saved: float | None  # seconds of that run that could be saved there, at most


class AuditFix(TypedDict):
    """What was done, or could be done, about the findings of one file: `--fix`, `--diff`."""

    file: str
    diff: str  # unified; empty if only unsafe fixes are known
    fixed: int  # findings that it answers
    unsafe: int  # more that an unsafe fix would answer
    written: bool  # to the file


class AuditEvidence(TypedDict):
    """One fact on which a finding rests."""

    text: str
    offset: int | None  # byte offset in co_code, if an instruction is the fact
    line: int | None


class AuditStep(TypedDict):
    """One place that a value passes, in the file of the finding."""

    text: str  # of the source, or what is known about the value
    code: str  # qualified name of the code object
    line: int | None  # from 1
    column: int | None  # in characters, from 1
    end_line: int | None
    end_column: int | None  # behind the last character


class AuditIgnore(TypedDict):
    """A comment `# coscope: ignore` that takes nothing away."""

    file: str
    line: int
    codes: list[str]  # empty: all rules


class AuditCount(TypedDict):
    """How many findings one rule has."""

    rule: str
    title: str
    count: int
