"""The other interpreters that tests run: native CPythons and Pyodides, found by search.

Nothing is configured and nothing is downloaded here. A test that needs an interpreter calls
`require("3.8")`, which skips the test loudly if there is none; with the environment variable
COSCOPE_REQUIRE_INTERPRETERS=1 (set by .ci/run) it fails instead.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import NoReturn

import pytest

NATIVE = ("3.8", "3.9", "3.10", "3.11", "3.12", "3.13")
PYODIDE = ("3.14", "3.15")

ROOT = Path(__file__).resolve().parent.parent
CI_WORK = ROOT / ".ci" / "work"


@cache
def find(version: str) -> Path | None:
    """The executable of a native CPython, such as "3.8", or None.

    Looks at this process itself, then for `python3.8` on PATH, then into pyenv's versions
    (PYENV_ROOT, else ~/.pyenv). Every candidate is run once: a pyenv shim on PATH may lead
    nowhere.
    """
    if sys.platform == "emscripten":
        return None
    return next(filter(None, (_real(path, version) for path in _candidates(version))), None)


def require(version: str) -> Path:
    """The executable of a native CPython; skips the calling test if there is none."""
    found = find(version)
    if found is None:
        _missing(f"CPython {version}: no python{version} on PATH or under pyenv")
    return found


@cache
def pyodide(version: str) -> Path | None:
    """The folder that holds `node_modules/pyodide` of a Pyodide with this CPython, or None.

    COSCOPE_PYODIDE_314 and COSCOPE_PYODIDE_315 name it; else the folders that .ci/run makes are
    looked at. None as well if there is no `node` on PATH.
    """
    if sys.platform == "emscripten" or shutil.which("node") is None:
        return None
    digits = version.replace(".", "")
    named = os.environ.get(f"COSCOPE_PYODIDE_{digits}")
    for folder in [Path(named)] if named else [CI_WORK / f"pyodide-{version}"]:
        if (folder / "node_modules" / "pyodide" / "pyodide.mjs").is_file():
            return folder.resolve()
    return None


def require_pyodide(version: str) -> Path:
    """The folder of a Pyodide; skips the calling test if there is none."""
    found = pyodide(version)
    if found is None:
        digits = version.replace(".", "")
        _missing(
            f"Pyodide of CPython {version}: needs node on PATH and COSCOPE_PYODIDE_{digits}, a "
            "folder with node_modules/pyodide"
        )
    return found


def summary() -> str:
    """One line: which interpreters were found, and which tests are skipped for the rest."""
    found = {version: find(version) for version in NATIVE}
    found |= {f"{version} (Pyodide)": pyodide(version) for version in PYODIDE}
    present = ", ".join(name for name, path in found.items() if path)
    missing = ", ".join(name for name, path in found.items() if not path)
    text = f"interpreters found: {present or 'none'}"
    return f"{text}; MISSING, their tests are skipped: {missing}" if missing else text


def _missing(what: str) -> NoReturn:
    if os.environ.get("COSCOPE_REQUIRE_INTERPRETERS") == "1":
        pytest.fail(f"MISSING INTERPRETER: {what}", pytrace=False)
    pytest.skip(f"MISSING INTERPRETER: {what}")


def _candidates(version: str) -> list[Path]:
    candidates = []
    if sys.version_info[:2] == tuple(map(int, version.split("."))):
        candidates.append(Path(sys.executable))
    on_path = shutil.which(f"python{version}")
    if on_path:
        candidates.append(Path(on_path))
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    folders = [path for path in root.glob(f"versions/{version}.*") if _micro(path) is not None]
    folders.sort(key=lambda path: _micro(path) or 0, reverse=True)
    return candidates + [folder / "bin" / "python" for folder in folders]


def _micro(folder: Path) -> int | None:
    digits = folder.name.rsplit(".", 1)[-1]
    return int(digits) if digits.isdecimal() else None


def _real(executable: Path, version: str) -> Path | None:
    """The interpreter behind a path, if it runs, is CPython and is of this version."""
    script = (
        "import sys; "
        "print('%s %d.%d' % ((sys.implementation.name,) + sys.version_info[:2])); "
        "print(sys.executable)"
    )
    try:
        run = subprocess.run(
            [str(executable), "-I", "-S", "-c", script],
            capture_output=True,
            text=True,
            timeout=30,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    name, real = run.stdout.splitlines()[:2]
    return Path(real) if name == f"cpython {version}" else None
