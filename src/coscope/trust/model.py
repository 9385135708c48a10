"""What `trust` finds: verdicts on bytecode files, signs to look at, and what stands beside them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from coscope.facts.differences.difference import CodeDifference
from coscope.result import Result

# From the best to the worst.
LADDER = (
    "identical",
    "same",
    "same behaviour",
    "known drift",
    "differs",
    "no source",
    "unreadable",
)


class Place(NamedTuple):
    """One field of a code object in which bytecode and source differ."""

    code: str  # qualified name
    what: str  # "constants", "argument bytes", "lines", ...
    left: str  # in the bytecode; "" if only the source has it
    right: str  # what the source compiles to
    line: int | None = None
    offset: int | None = None  # bytes in `co_code`


@dataclass(frozen=True, slots=True)
class Sign:
    """One thing to look at."""

    kind: str  # "TRU201", see `kinds.KINDS`
    message: str
    severity: str  # of SEVERITIES
    file: str  # as a target: a path, or archive::member
    code: str | None = None  # qualified name
    line: int | None = None
    offset: int | None = None  # bytes: in `co_code` if `code` is given, else in the file


@dataclass(frozen=True, slots=True)
class Abilities:
    """What code can do, read from its names, constants and instructions. Nothing of it ran."""

    verified: bool | None  # the verifier accepts it; None: not decided
    violations: tuple[str, ...]
    dynamic: tuple[str, ...]  # findings of the DYN rules, with their places
    imports: tuple[str, ...]
    calls: tuple[str, ...]  # of functions that reach the network, processes, files or memory
    urls: tuple[str, ...]
    keys: tuple[str, ...]  # what looks like a key or a token, shortened


@dataclass(frozen=True, slots=True)
class FileTrust:
    """The verdict on one bytecode file."""

    file: str  # as a target: a path, or archive::member
    verdict: str  # of LADDER
    details: tuple[str, ...] = ()  # what the verdict rests on or leaves open, in words
    source: str | None = None  # what it was compared with
    version: str | None = None  # of CPython, by its magic number
    release: str | None = None  # that compiles the source to it, or to the nearest
    level: int | None = None  # of optimisation
    invalidation: str | None = None  # "time", "checked hash", "unchecked hash"
    runs: str = ""  # what CPython would run, and why
    places: tuple[Place, ...] = ()
    codes: tuple[CodeDifference, ...] = ()  # aligned instructions that differ
    signs: tuple[Sign, ...] = ()
    abilities: Abilities | None = None
    prefix: str | None = None  # what `co_filename` has before the path in the tree
    drifts: tuple[str, ...] = ()  # names of the known drifts that explain what differs


@dataclass(frozen=True, slots=True)
class Listed:
    """What stands beside bytecode and can run too."""

    kind: str  # "extension module", "entry point", "distribution", "path file"
    name: str
    what: str  # the distribution, or what it leads to


@dataclass(frozen=True, slots=True)
class TrustReport(Result):
    """What `trust` found in everything that it was given."""

    target: str
    files: tuple[FileTrust, ...]
    others: tuple[Sign, ...] = field(default=())  # of no one bytecode file
    listed: tuple[Listed, ...] = field(default=())
    read: int = 0  # files of any kind that were looked at
    known: int = 0  # signs that a baseline has

    @property
    def signs(self) -> Iterator[Sign]:
        """Everything to look at, file by file."""
        for each in self.files:
            yield from each.signs
        yield from self.others

    @property
    def totals(self) -> dict[str, int]:
        """How many files have each verdict."""
        counts = Counter(each.verdict for each in self.files)
        return {verdict: counts[verdict] for verdict in LADDER}

    @property
    def unread(self) -> int:
        """Files and archives that could not be read."""
        return sum(each.kind in UNREAD for each in self.signs)

    def status(self, *, strict: bool = False) -> int:
        """The exit status: 0 clean, 1 something to look at, 2 something is unreadable."""
        if self.unread:
            return 2
        return int(any(strict or each.severity != "info" for each in self.signs))

    @property
    def ok(self) -> bool:
        """True if there is nothing to look at."""
        return self.status() == 0


UNREAD = frozenset(("TRU104", "TRU506"))
