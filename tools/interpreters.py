"""The one list of CPythons that tests, tools, benchmarks and .ci/run use, and where each is found.

    python tools/interpreters.py                what is found here, one version a line
    python tools/interpreters.py hosts          the versions that coscope runs on, one a line
    python tools/interpreters.py find 3.14      the path of one; exit status 1 if there is none

The list is made from the project itself: a version is read if src/coscope/opcodes has its table,
and coscope runs on it if pyproject.toml admits it. A native interpreter is looked for in this
process, on PATH, under pyenv, and in the folder that tools/get_pythons.sh fills (COSCOPE_PYTHONS,
else .ci/pythons). Pyodide is the browser's platform, not a stand-in for a native one.
Runs on any Python 3.8 or later, with nothing installed.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CI_WORK = ROOT / ".ci" / "work"


def _read_versions() -> tuple[str, ...]:
    tables = (ROOT / "src" / "coscope" / "opcodes").glob("cpython-3.*.toml")
    minors = sorted(int(path.stem.rsplit(".", 1)[1]) for path in tables)
    return tuple(f"3.{minor}" for minor in minors)


def _hosts() -> tuple[str, ...]:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    found = re.search(r'^requires-python = ">=3\.(\d+)"', text, re.M)
    assert found is not None, "pyproject.toml names no lowest version"
    return tuple(each for each in VERSIONS if int(each[2:]) >= int(found.group(1)))


VERSIONS = _read_versions()  # code of these is read
HOSTS = _hosts()  # coscope runs on these
PYODIDES = ("3.14", "3.15")  # those for which tools/pyodide has a package


@lru_cache(maxsize=None)
def find(version: str) -> Path | None:
    """The executable of a native CPython, such as "3.8" or "3.13.5", or None.

    Every candidate is run once: a pyenv shim on PATH may lead nowhere.
    """
    if sys.platform == "emscripten":
        return None
    return next(filter(None, (_real(path, version) for path in _candidates(version))), None)


@lru_cache(maxsize=None)
def pyodide(version: str) -> Path | None:
    """The folder that holds `node_modules/pyodide` of a Pyodide with this CPython, or None.

    COSCOPE_PYODIDE_314 and COSCOPE_PYODIDE_315 name it; otherwise it is the folder that .ci/run
    makes. None as well if there is no `node` on PATH.
    """
    if sys.platform == "emscripten" or shutil.which("node") is None:
        return None
    named = os.environ.get("COSCOPE_PYODIDE_" + version.replace(".", ""))
    folder = Path(named) if named else CI_WORK / ("pyodide-" + version)
    present = (folder / "node_modules" / "pyodide" / "pyodide.mjs").is_file()
    return folder.resolve() if present else None


def release(executable: Path) -> str:
    """The release that an interpreter names, such as "3.13.5"."""
    script = "import sys; print('%d.%d.%d' % sys.version_info[:3])"
    command = [str(executable), "-I", "-S", "-c", script]
    return subprocess.check_output(command, universal_newlines=True).strip()


def missing(version: str) -> str:
    """What to say where a native CPython is not found."""
    return (
        f"CPython {version}: no python{version} on PATH, under pyenv or in .ci/pythons "
        "(tools/get_pythons.sh gets 3.14 and 3.15)"
    )


def _candidates(version: str) -> Iterator[Path]:
    minor = ".".join(version.split(".")[:2])
    if sys.version_info[:2] == tuple(map(int, minor.split("."))):
        yield Path(sys.executable)
    on_path = shutil.which("python" + minor)
    if on_path:
        yield Path(on_path)
    yield from _under_pyenv(minor)
    unpacked = Path(os.environ.get("COSCOPE_PYTHONS") or ROOT / ".ci" / "pythons")
    yield unpacked / "bin" / ("python" + minor)
    yield Path("/usr/bin/python3")


def _under_pyenv(minor: str) -> list[Path]:
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    folders = [path for path in root.glob(f"versions/{minor}.*") if _micro(path) >= 0]
    folders.sort(key=_micro, reverse=True)
    return [folder / "bin" / "python" for folder in folders]


def _micro(folder: Path) -> int:
    digits = folder.name.rsplit(".", 1)[-1]
    return int(digits) if digits.isdecimal() else -1


def _real(executable: Path, version: str) -> Path | None:
    """The interpreter behind a path, if it runs, is CPython and is of this version."""
    script = (
        "import sys; "
        "print(sys.implementation.name, '%d.%d.%d' % sys.version_info[:3]); "
        "print(sys.executable)"
    )
    try:
        run = subprocess.run(
            [str(executable), "-I", "-S", "-c", script],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            timeout=30,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    name, real = run.stdout.splitlines()[:2]
    matches = (name + ".").startswith(f"cpython {version}.")
    return Path(real) if matches else None


def _table() -> Iterator[str]:
    for version in VERSIONS:
        path = find(version)
        found = f"{release(path)}  {path}" if path else "missing"
        inside = pyodide(version) if version in PYODIDES else None
        yield f"{version:5} {found}" + (f"; Pyodide in {inside}" if inside else "")


def main() -> int:
    """Print the list, the hosts, or one path."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("what", nargs="?", choices=["all", "hosts", "find"], default="all")
    parser.add_argument("version", nargs="?", help="for find: such as 3.14 or 3.13.5")
    options = parser.parse_args()
    if options.what == "find":
        path = find(options.version or "")
        print(path if path else missing(options.version), file=None if path else sys.stderr)
        return 0 if path else 1
    print("\n".join(HOSTS if options.what == "hosts" else _table()))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
