"""Verdicts of files that have not changed, kept between runs.

A file counts as unchanged if size, inode and both times of it and of its source are the same, and
the names in the folder. Nobody but root can set the time of a file's last change of status. Only
clean verdicts are kept: what has a sign is judged again.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from coscope.audits.running.small_files import write_text
from coscope.readers.caching import own_files
from coscope.readers.from_function import HOST_RELEASE
from coscope.trust.answers import Answer, Task
from coscope.trust.folders import joined, source_of, state_of
from coscope.trust.model import FileTrust, Listed, Sign

_FORMAT = 1
_KEPT = ("verdict", "details", "source", "version", "release", "level", "invalidation", "runs",
         "prefix", "drifts")  # fmt: skip

Entry = list[object]


class Cache:
    """Kept verdicts of some targets. It is read at once, and written by `save`."""

    def __init__(self, folder: str | None, python: str | None, targets: Sequence[str]) -> None:
        """Args: its folder (None: nothing is kept), the interpreter asked for, what is judged."""
        parts = (_FORMAT, own_files(), HOST_RELEASE, python, [os.path.abspath(t) for t in targets])
        name = hashlib.sha256(json.dumps(parts).encode()).hexdigest()
        self.path = None if folder is None else Path(folder) / f"{name[:40]}.json"
        self._held: dict[str, Entry] = self._read()
        self._new: dict[str, Entry] = {}

    def _read(self) -> dict[str, Entry]:
        if self.path is None:
            return {}
        try:
            found = json.loads(self.path.read_bytes())["entries"]
        except (OSError, ValueError, TypeError, KeyError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}

    def file(self, root: str, path: str) -> FileTrust | None:
        """The verdict on a file, if it is known and nothing has changed."""
        if self.path is None:
            return None
        file = joined(root, path)
        entry = self._held.get(file)
        if entry is None or entry[0] != _state(file):
            return None
        self._new[file] = entry
        return _file(file, entry[1:])

    def site(self, task: Task) -> Answer | None:
        """What a folder of distributions came to, if none of its files has changed."""
        root = joined(task.root, task.paths[0])
        entry = self._held.get(f"site {root}")
        if self.path is None or entry is None or entry[0] != _site_state(root):
            return None
        self._new[f"site {root}"] = entry
        _, signs, listed, read = entry
        return Answer(
            signs=[Sign(*each) for each in signs],  # type: ignore[attr-defined]
            listed=[Listed(*each) for each in listed],  # type: ignore[attr-defined]
            read=read,  # type: ignore[arg-type]
        )

    def archive(self, task: Task) -> Answer | None:
        """What an archive came to, if it has not changed and was clean."""
        entry = self._held.get(f"archive {task.root}")
        state = state_of(task.root)
        if self.path is None or entry is None or state is None or entry[0] != list(state):
            return None
        self._new[f"archive {task.root}"] = entry
        _, files, signs, listed, read = entry
        return Answer(
            files=[_file(each[0], each[1:]) for each in files],  # type: ignore[attr-defined]
            signs=[Sign(*each) for each in signs],  # type: ignore[attr-defined]
            listed=[Listed(*each) for each in listed],  # type: ignore[attr-defined]
            read=read,  # type: ignore[arg-type]
        )

    def learn(self, task: Task, answer: Answer) -> None:
        """Keep what a task came to."""
        if self.path is None:
            return
        if task.kind == "site":
            root = joined(task.root, task.paths[0])
            signs = [[getattr(each, name) for name in Sign.__slots__] for each in answer.signs]
            listed = [[each.kind, each.name, each.what] for each in answer.listed]
            self._new[f"site {root}"] = [_site_state(root), signs, listed, answer.read]
        clean = not any(each.signs for each in answer.files)
        state = state_of(task.root) if task.kind == "archive" and clean else None
        if state is not None and not any(each.severity == "error" for each in answer.signs):
            files = [[each.file, *(getattr(each, n) for n in _KEPT)] for each in answer.files]
            signs = [[getattr(each, name) for name in Sign.__slots__] for each in answer.signs]
            listed = [[each.kind, each.name, each.what] for each in answer.listed]
            self._new[f"archive {task.root}"] = [list(state), files, signs, listed, answer.read]
        if task.kind != "files":
            return
        for each in answer.files:
            if not each.signs and each.verdict in ("identical", "same"):
                held = [getattr(each, name) for name in _KEPT]
                self._new[each.file] = [_state(each.file), *held]

    def save(self) -> None:
        """Write what is known now. A folder that cannot be written is no fault."""
        if self.path is None or self._new == self._held:
            return
        with suppress(OSError):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            write_text(self.path, json.dumps({"entries": self._new}, separators=(",", ":")))


def _file(file: str, held: list[object]) -> FileTrust:
    fields = dict(zip(_KEPT, held, strict=True))
    for name in ("details", "drifts"):
        fields[name] = tuple(fields[name])  # type: ignore[arg-type]
    return FileTrust(file, **fields)  # type: ignore[arg-type]


def _state(file: str) -> list[object]:
    """What changes when the file, its source or the names around it do."""
    source = source_of(file).source
    states = state_of(file), state_of(source)
    return [list(each) if each else None for each in states] + [_folder_state(_folder(source))]


def _folder(path: str) -> str:
    return os.path.dirname(path) or "."


@lru_cache(maxsize=1024)
def _folder_state(folder: str) -> int | None:
    """A folder's time changes when a name is added or removed."""
    try:
        return os.stat(folder).st_mtime_ns
    except OSError:
        return None


def _site_state(root: str) -> str:
    """A digest of the states of every file below."""
    made = hashlib.sha256()
    for path, folders, names in os.walk(root):
        folders.sort()
        for name in sorted(names):
            file = os.path.join(path, name)
            made.update(repr((file, state_of(file))).encode())
    return made.hexdigest()
