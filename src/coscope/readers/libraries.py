"""Which code is the user's own, and which is of a library."""

from __future__ import annotations

import os
import sysconfig
from functools import cache

_LIBRARY_FOLDERS = ("site-packages", "dist-packages")


@cache
def _library_paths() -> tuple[str, ...]:
    names = ("stdlib", "platstdlib")
    paths = {os.path.realpath(sysconfig.get_path(name)) for name in names}
    # The standard library may be an archive, as in Pyodide and the embeddable Python of Windows.
    paths.add(os.path.dirname(os.path.realpath(os.__file__)))
    return tuple(f"{path}{os.sep}" for path in sorted(paths))


@cache
def is_library(filename: str) -> bool:
    """True for code of the standard library, of an installed package, of coscope itself."""
    if filename.startswith("<frozen "):
        return True
    if filename.startswith("<"):
        return False
    path = os.path.realpath(filename)
    if any(folder in path.split(os.sep) for folder in _LIBRARY_FOLDERS):
        return True
    own = os.path.dirname(os.path.dirname(os.path.realpath(__file__))) + os.sep  # coscope's
    return path.startswith((*_library_paths(), own))
