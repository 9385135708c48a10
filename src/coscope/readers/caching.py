"""Where caches belong, and what makes them stale: coscope's own files."""

from __future__ import annotations

import hashlib
import os
import sys
from functools import cache
from pathlib import Path


def cache_folder() -> Path:
    """Where caches belong: XDG_CACHE_HOME, %LOCALAPPDATA%, ~/Library/Caches or ~/.cache."""
    if os.environ.get("XDG_CACHE_HOME"):
        base = Path(os.environ["XDG_CACHE_HOME"])
    elif sys.platform == "win32" and os.environ.get("LOCALAPPDATA"):
        base = Path(os.environ["LOCALAPPDATA"])
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path.home() / ".cache"
    return base / "coscope"


@cache
def own_files() -> str:
    """A digest of coscope's own files by size and time, so that an edited rule is run again."""
    root = Path(__file__).resolve().parents[1]
    seen = []
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(each for each in folders if each != "__pycache__")
        for name in sorted(names):
            status = os.stat(os.path.join(folder, name))
            seen.append((name, status.st_size, status.st_mtime_ns))
    return hashlib.sha256(repr(seen).encode()).hexdigest()
