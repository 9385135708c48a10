"""The file or folder that the page shows. Nothing outside of it is read, and nothing is written."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from coscope.errors import TargetError, TargetNotFound

SUFFIXES = (".py", ".pyw", ".pyc")
MOST_FILES = 5_000
MOST_BYTES = 4 * 2**20  # of one file

_PASSED_OVER = ("node_modules", "site-packages")  # and what begins with a dot


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of the folder, as it is now."""

    path: str  # with "/", from the folder on
    stamp: tuple[int, int]  # time of the last change in ns, size in bytes


class Folder:
    """A folder, or one file of a folder."""

    def __init__(self, path: Path) -> None:
        """Args: the folder or file.

        Raises:
            TargetNotFound: There is nothing of that name.
            TargetError: It is a file that the page cannot show.
        """
        if not path.exists():
            raise TargetNotFound(f"there is no file or folder {os.fspath(path)!r}")
        self.root = (path if path.is_dir() else path.parent).resolve()
        self.first = None if path.is_dir() else path.name
        if self.first is not None and path.suffix not in SUFFIXES:
            raise TargetError(
                f"{os.fspath(path)} is not a Python file",
                expected=" or ".join(SUFFIXES),
                found=path.suffix or "no suffix",
            )

    def entries(self) -> list[Entry]:
        """The files in the order of their names, at most `MOST_FILES`; links are left out."""
        if self.first is not None:
            return [entry for entry in [self._entry(self.root / self.first)] if entry is not None]
        found = []
        for path in self._walk():
            entry = self._entry(path)
            if entry is not None:
                found.append(entry)
            if len(found) == MOST_FILES:
                break
        return sorted(found, key=lambda entry: entry.path)

    def _walk(self) -> Iterator[Path]:
        for folder, folders, files in os.walk(self.root):
            folders[:] = sorted(
                name for name in folders if name[0] != "." and name not in _PASSED_OVER
            )
            yield from (Path(folder, name) for name in sorted(files) if name.endswith(SUFFIXES))

    def _entry(self, path: Path) -> Entry | None:
        try:
            status = path.lstat()
        except OSError:
            return None
        if not stat.S_ISREG(status.st_mode):
            return None
        name = path.relative_to(self.root).as_posix()
        return Entry(name, (status.st_mtime_ns, status.st_size))

    def read(self, name: str) -> tuple[bytes, int]:
        """The bytes of one file, and the time of its last change in seconds.

        Raises:
            TargetNotFound: The folder has no such file, or it is not one that the page shows.
            TargetError: It is too large, or cannot be read.
        """
        pure = PurePosixPath(name)
        missing = TargetNotFound(f"there is no {name!r} in the folder that is served")
        outside = pure.is_absolute() or ".." in pure.parts or "\\" in name or ":" in name
        if outside or "\0" in name or pure.suffix not in SUFFIXES:
            raise missing
        if self.first is not None and name != self.first:
            raise missing
        path = self.root / pure
        # A link on the way may lead elsewhere, to a pipe that never ends for instance.
        if not path.resolve().is_relative_to(self.root) or self._entry(path) is None:
            raise missing
        try:
            with path.open("rb") as file:
                data = file.read(MOST_BYTES + 1)
                changed = int(os.fstat(file.fileno()).st_mtime)
        except OSError as error:
            raise TargetError(f"{name} cannot be read: {error.strerror}") from error
        if len(data) > MOST_BYTES:
            raise TargetError(f"{name} is too large for the page", expected=f"{MOST_BYTES} bytes")
        return data, changed
