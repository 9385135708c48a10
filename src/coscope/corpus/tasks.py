"""What a scan is divided into: one content, and the parts that contents are read in."""

from __future__ import annotations

from dataclasses import dataclass

SOURCE, PYC = "source", "pyc"
READ = "read"
DIED = "the process died"


@dataclass(frozen=True, slots=True)
class Task:
    """One content to be read."""

    file: int  # its key
    path: str
    member: str  # inside an archive; "" for a file
    sha256: str
    kind: str  # SOURCE or PYC


@dataclass(frozen=True, slots=True)
class Part:
    """Some contents, and where their rows go."""

    folder: str  # of the corpus
    name: str  # of the part's files
    python: str  # release that compiles, or version of the .pyc files: the partition
    interpreter: str | None  # path of the one that compiles; None: this one
    optimize: int
    details: tuple[str, ...]
    tasks: tuple[Task, ...]
    died: bool = False  # its process died on the only file: nothing is read, the row says so
