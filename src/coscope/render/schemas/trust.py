"""The document of `trust`

`coscope trust PATH... --json`, and `coscope.trust(...).to_json()`.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypedDict

from coscope.render.schemas.diff import DiffCode
from coscope.render.schemas.shared import Header, Severity

TrustVerdict = Annotated[
    str,
    {
        "enum": [
            "identical",
            "same",
            "same behaviour",
            "known drift",
            "differs",
            "no source",
            "unreadable",
        ]
    },
]
ListedKind = Annotated[
    str, {"enum": ["distribution", "extension module", "entry point", "path file"]}
]


class TrustTotals(TypedDict):
    """Counts over everything that was looked at."""

    files: int  # bytecode files
    read: int  # files of any kind
    signs: int
    errors: int  # signs of this severity
    warnings: int
    infos: int
    unread: int  # files and archives that could not be read
    known: int  # signs that are in the baseline


class TrustCount(TypedDict):
    """How many files have a verdict."""

    verdict: TrustVerdict
    files: int


class TrustSign(TypedDict):
    """One thing to look at."""

    rule: str  # `TRU101`; docs/commands/trust.md explains it
    title: str  # of the rule
    message: str  # one clause
    severity: Severity
    file: str  # a path, or `archive::member`
    code: str | None  # qualified name of the code object
    line: int | None
    offset: int | None  # bytes: in `co_code` if `code` is given, else in the file


class TrustPlace(TypedDict):
    """One field of a code object in which bytecode and source differ."""

    code: str  # qualified name
    what: str  # `constants`, `argument bytes`, `lines`, ...
    left: str  # in the bytecode; empty if only the source has it
    right: str  # what the source compiles to
    line: int | None
    offset: int | None  # bytes in `co_code`


class TrustAbilities(TypedDict):
    """What code can do, read from its instructions, names and constants. Nothing of it ran."""

    verified: bool | None  # the verifier accepts it; null: not decided
    violations: list[str]
    dynamic: list[str]  # what the DYN rules find, with places
    imports: list[str]
    calls: list[str]  # functions that reach the network, processes, files or memory
    urls: list[str]
    keys: list[str]  # what looks like a key or a token, shortened


class TrustFile(TypedDict):
    """The verdict on one bytecode file."""

    file: str  # a path, or `archive::member`
    verdict: TrustVerdict
    details: list[str]  # what the verdict rests on or leaves open
    source: str | None  # what it was compared with
    version: str | None  # of CPython, by the magic number
    release: str | None  # that compiles the source to it, or to the nearest
    level: int | None  # of optimisation
    invalidation: str | None  # `time`, `checked hash` or `unchecked hash`
    runs: str  # what CPython would run, and why
    places: list[TrustPlace]
    codes: list[DiffCode]  # code objects that differ in behaviour, aligned
    signs: list[TrustSign]
    abilities: TrustAbilities | None  # of files without source, and of those that differ


class TrustListed(TypedDict):
    """What stands beside bytecode and can run too."""

    kind: ListedKind
    name: str
    what: str


class TrustDocument(Header):
    """What `coscope trust --json` prints."""

    command: Literal["trust"]
    target: str  # all targets as the user named them
    ok: bool  # there is nothing to look at
    totals: TrustTotals
    verdicts: list[TrustCount]  # from the best to the worst
    files: list[TrustFile]  # by path
    others: list[TrustSign]  # signs that are of no one bytecode file
    listed: list[TrustListed]
    error: None
