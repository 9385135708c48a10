"""A dry run of a CPython version that has no table yet: draft it, then run every command on it.

    python tools/next_version.py 3.16 --python path/to/python3.16
    python tools/next_version.py 3.16 --pretend            the newest version takes its name

A copy of the package gets the drafted table; the copy runs in that interpreter, with the pure
Python packages of this one. What is left to do by hand is printed: the rows that the draft marks,
what the interpreter says otherwise than the table, and the commands that fail. The exit status is 1
if there is any of these. Nothing here is changed.

Without such an interpreter, --pretend proves that a table is all that a new version needs: the
newest version known, under another name, in an interpreter that reports this name.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import interpreters
from coscope.opcodes import VERSIONS, from_toml
from opcodes import ask, differences, draft

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = Path("src") / "coscope"
TABLE = Path("opcodes") / "cpython-{}.toml"
NEEDED = ("click", "rich", "markdown_it", "mdurl", "pygments")  # of pure Python
SECONDS = 300  # for a command

SAMPLE = '''\
"""A module that every command is run on."""

LIMIT = 3


def total(values, start=0):
    for value in values:
        if value > LIMIT:
            start += value
    return start


def outer(step):
    def inner(x):
        return x + step

    return inner


add = outer(2)
'''

# The interpreter reports another version than its own, wherever coscope asks for it.
PRETENCE = """\
import platform, sys
from collections import namedtuple

platform.python_version = lambda: "{major}.{minor}.0"
platform.python_version_tuple = lambda: ("{major}", "{minor}", "0")
_Version = namedtuple("version_info", "major minor micro releaselevel serial")
sys.version_info = _Version({major}, {minor}, 0, "final", 0)
"""


@dataclass(frozen=True)
class Outcome:
    """How one command ended."""

    words: tuple[str, ...]
    status: int
    text: str  # of both outputs
    allowed: tuple[int, ...]

    @property
    def ok(self) -> bool:
        """True if it did what it is for, or said what it found."""
        return self.status in self.allowed and "Traceback" not in self.text

    def is_of(self, version: str) -> bool:
        """True if a command that says which version it is about says this one."""
        named = re.findall(r"CPython (\d+\.\d+)", self.text)
        return self.words[0] in ("rule", "corpus") or set(named) <= {version}


# The words of each command, and the exit statuses that are answers: 1 says that it found something.
COMMANDS: tuple[tuple[tuple[str, ...], tuple[int, ...]], ...] = (
    (("show", "sample.py"), (0,)),
    (("show", "sample:total"), (0,)),
    (("show", "sample.pyc::total"), (0,)),
    (("show", "--warm", "warm.py", "sample.py::total"), (0,)),
    (("dis", "sample.pyc::total"), (0,)),
    (("graph", "sample:total"), (0,)),
    (("depends", "sample:total"), (0,)),
    (("closure", "sample:add"), (0,)),
    (("capture", "sample:add"), (0,)),
    (("call", "sample:total", "[1]"), (0,)),
    (("call", "sample:total", "[1], 2, 3"), (1,)),
    (("call", "sample:total", "[9, 1]", "--trace"), (0,)),
    (("signature", "sample:total"), (0,)),
    (("fingerprint", "sample:total"), (0,)),
    (("diff", "sample.py::total", "sample.pyc::outer"), (1,)),
    (("verify", "sample.pyc"), (0,)),
    (("audit", "sample.py"), (0, 1)),
    (("audit", "--live", "sample"), (0, 1)),
    (("audit", "--warm", "warm.py", "sample.py"), (0, 1)),
    (("trust", "sample.pyc"), (0, 1, 2)),
    (("rule",), (0,)),
    (("explain-opcode",), (0,)),
    (("completion", "bash"), (0,)),
    (("report", "sample.py", "-o", "report.html"), (0,)),
    (("corpus", "schema"), (0,)),
    (("attach", "999999999"), (2,)),
    (("mcp", "--root", "no-such-folder"), (2,)),
    (("coverage", "--", "python", "warm.py"), (0,)),
    (("explain", "--", "python", "-c", "None.attribute"), (1,)),
    (("serve", "--list"), (0,)),
    (("patch", "sample.py", "--at", "total", "--name", "LIMIT=MOST", "-o", "patched.pyc"), (0,)),
    (("tune", "sample:total", "--call", "total([5] * 50)", "--rounds", "3"), (0, 1)),
)


def newest_renamed(version: str) -> tuple[str, str]:
    """The newest table as one of `version`, and itself without the magic numbers of releases."""
    own = (ROOT / PACKAGE / str(TABLE).format(VERSIONS[-1])).read_text(encoding="utf-8")
    renamed = re.sub(r'(?m)^version = ".*"', f'version = "{version}"', own)
    renamed = re.sub(r'(?m)^checked = ".*"', f'checked = "{version}.0"', renamed)
    released = re.search(r"(?m)^release_magics = \[(.*)\]", own)
    assert released is not None
    renamed = re.sub(r"(?ms)^magics = \[.*?\]", f"magics = [{released[1]}]", renamed)
    numbers = re.search(r"(?ms)^magics = \[(.*?)\]", own)
    assert numbers is not None
    left = [each for each in re.findall(r"\d+", numbers[1]) if each not in released[1]]
    own = re.sub(r"(?ms)^magics = \[.*?\]", f"magics = [{', '.join(left)}]", own)
    return renamed, re.sub(r"(?m)^release_magics = .*", f"release_magics = [{left[-1]}]", own)


def copied(folder: Path, version: str, table: str) -> Path:
    """A copy of the package with one more table; where it can be imported from."""
    shutil.copytree(ROOT / PACKAGE, folder / "site" / "coscope", dirs_exist_ok=True)
    path = folder / "site" / "coscope" / str(TABLE).format(version)
    path.write_text(table, encoding="utf-8")
    for name in NEEDED:
        spec = find_spec(name)
        assert spec is not None, name
        places = list(spec.submodule_search_locations or ())
        shutil.copytree(places[0], folder / "site" / name, dirs_exist_ok=True)
    return folder / "site"


def pretending(folder: Path, version: str) -> Path:
    """The copy in which the newest version has another name, and the interpreter reports it."""
    renamed, own = newest_renamed(version)
    site = copied(folder, version, renamed)
    (site / "coscope" / str(TABLE).format(VERSIONS[-1])).write_text(own, encoding="utf-8")
    major, minor = version.split(".")
    (site / "sitecustomize.py").write_text(PRETENCE.format(major=major, minor=minor))
    return site


def prepared(folder: Path, python: str, site: Path) -> dict[str, str]:
    """The sample and its .pyc in a folder, and the environment that commands run in."""
    (folder / "sample.py").write_text(SAMPLE)
    (folder / "warm.py").write_text("import sample\nfor _ in range(9000): sample.total([5, 1])\n")
    environment = {**os.environ, "PYTHONPATH": f"{site}{os.pathsep}{folder}", "NO_COLOR": "1"}
    script = "import py_compile; py_compile.compile('sample.py', 'sample.pyc', doraise=True)"
    subprocess.run([python, "-c", script], cwd=folder, env=environment, check=True, timeout=60)
    return environment


def outcomes(folder: Path, python: str, site: Path) -> Iterator[Outcome]:
    """Run every command on the sample."""
    environment = prepared(folder, python, site)
    for words, allowed in COMMANDS:
        told = words
        if "--warm" in words:  # the command that warms is the interpreter under test
            told = tuple(f"{python} warm.py" if word == "warm.py" else word for word in words)
        run = subprocess.run(
            [python, "-m", "coscope", *told],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        yield Outcome(words, run.returncode, run.stdout + run.stderr, allowed)


def tried(folder: Path, python: str, site: Path) -> int:
    """Run every command and print those that fail; how many."""
    failed = 0
    for outcome in outcomes(folder, python, site):
        print(f"{'ok    ' if outcome.ok else 'FAILED'}  coscope {' '.join(outcome.words)}")
        if not outcome.ok:
            failed += 1
            print(f"        status {outcome.status}\n{outcome.text[-2000:]}")
    return failed


def drafted(version: str, python: str, like: str) -> tuple[str, int]:
    """The drafted table, and how much of it is left to do by hand."""
    told = ask(python)
    text = "\n".join(draft(version, told, like)) + "\n"
    marked = [line for line in text.splitlines() if "# check" in line]
    print(f"{len(marked)} rows of the draft are marked:")
    for line in marked:
        print(f"  {line.split(' = ')[0]}: {line.partition('# check: ')[2]}")
    found = differences(from_toml(tomllib.loads(text)), told)
    print(f"{len(found)} differences between the draft and the interpreter:")
    for line in found:
        print(f"  {line}")
    return text, len(marked) + len(found)


def main() -> int:
    """Do what the command line asks for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("version", help="such as 3.16")
    parser.add_argument("--python", help="its interpreter; else it is searched as the others are")
    parser.add_argument("--like", default=VERSIONS[-1], help="the table that rows are taken from")
    parser.add_argument("--pretend", action="store_true", help=f"{VERSIONS[-1]} takes its name")
    options = parser.parse_args()
    wanted = VERSIONS[-1] if options.pretend else options.version
    python = options.python or str(interpreters.find(wanted) or "")
    if not python:
        parser.error(f"no CPython {wanted} is found here; --python names one")
    with tempfile.TemporaryDirectory(prefix="coscope-") as name:
        folder = Path(name)
        if options.pretend:
            return min(1, tried(folder, python, pretending(folder, options.version)))
        table, left = drafted(options.version, python, options.like)
        failed = tried(folder, python, copied(folder, options.version, table))
    print(f"{left} points to settle by hand, {failed} commands that fail.")
    return min(1, left + failed)


if __name__ == "__main__":
    sys.exit(main())
