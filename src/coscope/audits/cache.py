"""Findings of files that have not changed, kept between runs: by content, rules and options.

An entry's name is a digest of everything that its findings depend on: the file's bytes, the
compiling interpreter, coscope's own version and files, rules and options. So there is nothing to
invalidate; what has not been used for a month is taken away.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import astuple, replace
from functools import cache
from pathlib import Path

from coscope.audits.documents import from_entry, to_entry
from coscope.audits.engine import Audited
from coscope.audits.options import Options
from coscope.rules import Rule

_FORMAT = 1
_KEPT = 30 * 86_400  # seconds that an entry lives without being read
_SWEPT = ".swept"  # its time says when old entries were last taken away


def default_folder() -> Path:
    """Where caches belong: XDG_CACHE_HOME, %LOCALAPPDATA%, ~/Library/Caches or ~/.cache."""
    if os.environ.get("XDG_CACHE_HOME"):
        base = Path(os.environ["XDG_CACHE_HOME"])
    elif sys.platform == "win32" and os.environ.get("LOCALAPPDATA"):
        base = Path(os.environ["LOCALAPPDATA"])
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path.home() / ".cache"
    return base / "coscope" / "audit"


class Cache:
    """Findings by the content of files."""

    def __init__(
        self, folder: Path, rules: Sequence[Rule], options: Options, python: str, version: str
    ) -> None:
        """Open a cache; the folder is made at the first entry.

        Args:
            folder: Where entries are.
            rules: That run.
            options: Of the rules.
            python: Release and path of the interpreter that compiles.
            version: Of coscope.
        """
        self.folder = folder
        codes = [rule.code for rule in rules]
        parts = (_FORMAT, version, _own_files(), python, codes, astuple(options))
        self._base = hashlib.sha256(json.dumps(parts).encode())

    def key(self, data: bytes, suffix: str) -> str:
        """Name of the entry for a file's bytes.

        Args:
            data: The bytes.
            suffix: Of the file: ".py" and ".pyc" are read by other means.
        """
        digest = self._base.copy()
        digest.update(suffix.encode() + b"\0" + data)
        return digest.hexdigest()

    def get(self, key: str, file: str) -> Audited | None:
        """What is known of a file, or None; a damaged entry is none."""
        path = self._path(key)
        try:
            held = json.loads(path.read_bytes())
            findings = tuple(replace(from_entry(each), file=file) for each in held["findings"])
            found = Audited(file, findings, held["codes"])
        except (OSError, ValueError, TypeError, KeyError):
            return None
        if time.time() - path.stat().st_mtime > 86_400:
            with suppress(OSError):
                os.utime(path)
        return found

    def put(self, key: str, audited: Audited) -> None:
        """Keep what was found in a file. A cache that cannot be written is no error."""
        findings = [to_entry(replace(finding, file=None)) for finding in audited.findings]
        text = json.dumps({"codes": audited.codes, "findings": findings})
        path = self._path(key)
        with suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=path.parent, prefix=".new-")
            try:
                with os.fdopen(handle, "w", encoding="utf-8") as file:
                    file.write(text)
                os.replace(name, path)  # other processes see the whole entry or none
            except BaseException:
                with suppress(OSError):
                    os.unlink(name)
                raise

    def sweep(self) -> None:
        """Take away what was not read for a month; at most once a day."""
        mark = self.folder / _SWEPT
        with suppress(OSError):
            if mark.exists() and time.time() - mark.stat().st_mtime < 86_400:
                return
            self.folder.mkdir(parents=True, exist_ok=True)
            mark.touch()
            for path in self.folder.glob("*/*"):
                if time.time() - path.stat().st_mtime > _KEPT:
                    path.unlink()

    def _path(self, key: str) -> Path:
        return self.folder / key[:2] / f"{key[2:]}.json"


@cache
def _own_files() -> str:
    """A digest of coscope's own files by size and time, so that an edited rule is run again."""
    root = Path(__file__).resolve().parent.parent
    seen = []
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(each for each in folders if each != "__pycache__")
        for name in sorted(names):
            status = os.stat(os.path.join(folder, name))
            seen.append((name, status.st_size, status.st_mtime_ns))
    return hashlib.sha256(repr(seen).encode()).hexdigest()
