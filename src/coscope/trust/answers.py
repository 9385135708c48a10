"""What a piece of work comes to, and what folders and archives have in common."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from coscope.errors import CoscopeError
from coscope.trust import environment
from coscope.trust.model import FileTrust, Listed, Sign

BYTECODE = (".pyc", ".pyo")


class Task(NamedTuple):
    """A piece of work for one process."""

    kind: str  # "files", "site" or "archive"
    root: str  # the folder that the user named, or the archive
    paths: tuple[
        str, ...
    ]  # of files or of the site, relative to the root; ("found",) of an archive


@dataclass(slots=True)
class Answer:
    """What a task came to."""

    files: list[FileTrust] = field(default_factory=list)
    signs: list[Sign] = field(default_factory=list)
    listed: list[Listed] = field(default_factory=list)
    read: int = 0


def beside(held: environment.Held) -> Iterator[Listed]:
    """Extension modules, entry points and distributions."""
    for path in sorted(held.names):
        folder, base = posixpath.split(path)
        if path.lower().endswith(environment.NATIVE):
            yield Listed("extension module", held.label(path), "")
        elif base == "entry_points.txt" and folder.endswith((".dist-info", ".egg-info")):
            try:
                text = held.read(path).decode("utf-8", "replace")
            except CoscopeError:
                continue
            yield from environment.entry_points(text, folder.rpartition("/")[2].partition("-")[0])
        elif base in ("METADATA", "PKG-INFO") and folder.endswith((".dist-info", ".egg-info")):
            name = posixpath.basename(folder).rpartition(".")[0]
            yield Listed("distribution", name, held.label(folder))
