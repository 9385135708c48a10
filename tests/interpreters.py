"""The other interpreters that tests run: those of tools/interpreters.py, or a skip that says so.

Nothing is configured and nothing is downloaded here. A test that needs an interpreter calls
`require("3.8")`, which skips the test if there is none; with the environment variable
COSCOPE_REQUIRE_INTERPRETERS=1 (set by .ci/run) it fails instead.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import NoReturn

import pytest

from tools.interpreters import HOSTS, PYODIDES, VERSIONS, find, missing, pyodide

__all__ = [
    "HOSTS",
    "PYODIDES",
    "VERSIONS",
    "find",
    "pyodide",
    "require",
    "require_pyodide",
    "summary",
]


def require(version: str) -> Path:
    """The executable of a native CPython; skips the calling test if there is none."""
    found = find(version)
    if found is None:
        _missing(missing(version))
    return found


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
    found = {version: find(version) for version in VERSIONS}
    found |= {f"{version} (Pyodide)": pyodide(version) for version in PYODIDES}
    present = ", ".join(name for name, path in found.items() if path)
    lacking = ", ".join(name for name, path in found.items() if not path)
    text = f"interpreters found: {present or 'none'}"
    return f"{text}; MISSING, their tests are skipped: {lacking}" if lacking else text


def _missing(what: str) -> NoReturn:
    if os.environ.get("COSCOPE_REQUIRE_INTERPRETERS") == "1":
        pytest.fail(f"MISSING INTERPRETER: {what}", pytrace=False)
    pytest.skip(f"MISSING INTERPRETER: {what}")
