"""Do packages behave as before, with every function edited at import? Their own tests say so.

    python tools/package_behaviour.py FOLDER [FOLDER ...] [--edit nops] [--edit hooks]

A FOLDER is an unpacked source distribution with its tests. pytest runs them as they are, and again
with every code object of the package edited, verified and made live by `patcher/rebuild.py` when it
is imported: with a NOP before each instruction ("nops"), or with a counting call at each entry and
exit ("hooks"). Each test must end as it did. What another run without an edit changes too is no
difference: such tests are unsteady. The interpreter that runs this program runs the tests.
"""

from __future__ import annotations

import argparse
import itertools
import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from importlib.machinery import SourceFileLoader
from pathlib import Path
from typing import Any

EDITS = ("nops", "hooks")
_TESTS = ("tests", "test", "testing")
_NO_PACKAGES = {*_TESTS, "docs", "examples", "benchmarks", "bench", "build", "dist", "tools"}

# In the process that runs the tests, where pytest loads this file as a plugin

_counter = itertools.count()
_count = partial(next, _counter)
_edited = 0


def _edit_imports(edit: str, under: tuple[str, ...]) -> None:
    """Edit each code object of the files below some folders when they are imported."""
    from coscope.model import Opaque
    from coscope.patcher.applying.apply import apply
    from coscope.patcher.edits.model import ANYWHERE, Do, Insert, InsertCall, Literal, Outcome
    from coscope.patcher.rebuild import admit
    from coscope.readers.from_function import from_code_object

    hook = Literal(Opaque("functools.partial", id(_count)))
    nops = (Insert(where=ANYWHERE, instructions=(Do("NOP"),), inseparable="skip"),)
    hooks = (
        InsertCall(call=hook, at="entry"),
        InsertCall(call=hook, args=(Outcome(),), at="exit"),
    )
    wanted = [replace(each, nested=True) for each in (nops if edit == "nops" else hooks)]
    original = SourceFileLoader.get_code

    def get_code(self: SourceFileLoader, fullname: str) -> Any:
        global _edited
        path = os.path.abspath(self.get_filename(fullname))
        if not path.startswith(under) or set(Path(path).parts) & {*_TESTS}:
            return original(self, fullname)
        plain = compile(self.get_data(path), path, "exec", dont_inherit=True)
        code = from_code_object(plain)
        objects = {id(_count): _count}
        made = admit(
            apply(code, wanted), plain, closure=(), defaults=(), original=code, objects=objects
        )
        _edited += sum(1 for _ in code.walk())
        return made.co

    SourceFileLoader.get_code = get_code  # type: ignore[method-assign,assignment]


# `-p` loads this file before all other plugins, which may import the package.
if __name__ == "package_behaviour" and os.environ.get("COSCOPE_EDIT", "none") != "none":
    _edit_imports(
        os.environ["COSCOPE_EDIT"], tuple(os.environ["COSCOPE_EDIT_UNDER"].split(os.pathsep))
    )


def pytest_unconfigure(config: Any) -> None:
    """Tell how much was edited and how often the hook was called."""
    told = os.environ.get("COSCOPE_EDIT_TOLD")
    if told:
        Path(told).write_text(f"{_edited} {next(_counter)}", encoding="ascii")


# In the driver


def packages(folder: Path) -> tuple[Path, list[Path]]:
    """Where imports start, and the packages and modules there."""
    root = folder / "src" if (folder / "src").is_dir() else folder
    found = [
        each
        for each in sorted(root.iterdir())
        if (each / "__init__.py").exists() and each.name not in _NO_PACKAGES
    ]
    single = [
        each for each in root.glob("*.py") if each.stem not in ("setup", "conftest", "noxfile")
    ]
    return root, found or single


def tests_of(folder: Path, found: list[Path]) -> list[Path]:
    """The folders of tests: beside the package, or in it."""
    beside = [folder / name for name in _TESTS if (folder / name).is_dir()]
    return beside or [each / name for each in found for name in _TESTS if (each / name).is_dir()]


def run(folder: Path, edit: str, seconds: float) -> tuple[dict[str, str], str]:
    """Each test with what became of it, and what the plugin told."""
    root, found = packages(folder)
    with tempfile.TemporaryDirectory() as temporary:
        report, told = Path(temporary, "report.xml"), Path(temporary, "told")
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(root), str(Path(__file__).parent)]),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONHASHSEED": "0",
            "COSCOPE_EDIT": edit,
            "COSCOPE_EDIT_UNDER": os.pathsep.join(str(each.resolve()) for each in found),
            "COSCOPE_EDIT_TOLD": str(told),
        }
        options = ["-q", "-p", "package_behaviour", "-p", "no:cacheprovider", "-p", "no:randomly"]
        options += ["--continue-on-collection-errors", f"--junit-xml={report}"]
        tests = [str(each) for each in tests_of(folder, found)]
        command = [sys.executable, "-m", "pytest", *options, *tests]
        try:
            ended = subprocess.run(
                command, cwd=folder, env=environment, capture_output=True, timeout=seconds
            )
        except subprocess.TimeoutExpired:
            return {}, f"no end in {seconds:.0f} s"
        if not report.exists():
            return {}, (ended.stdout + ended.stderr).decode(errors="replace")[-300:]
        return dict(_outcomes(report)), told.read_text() if told.exists() else "killed"


def _outcomes(report: Path) -> Iterator[tuple[str, str]]:
    seen: Counter[str] = Counter()
    for case in ElementTree.parse(report).getroot().iter("testcase"):
        name = f"{case.get('classname')}::{case.get('name')}"
        seen[name] += 1
        kinds = sorted(each.tag for each in case if each.tag in ("failure", "error", "skipped"))
        yield f"{name} {seen[name]}", "+".join(kinds) or "passed"


def compare(folder: Path, edits: list[str], seconds: float) -> bool:
    """Print what became of each edit; True if there is no difference that is not unsteady."""
    plain, why = run(folder, "none", seconds)
    if not plain:
        print(f"{folder.name:28} not comparable, as it is: {why}", flush=True)
        return True
    good = True
    for edit in edits:
        found, told = run(folder, edit, 8 * seconds)
        differing = {
            name for name in plain.keys() | found.keys() if plain.get(name) != found.get(name)
        }
        if differing:
            again, _ = run(folder, "none", seconds)
            differing -= {name for name in differing if plain.get(name) != again.get(name)}
        counts = Counter(found.values())
        edited, _, called = told.partition(" ")
        word = "DIFFERENT" if differing else "same"
        print(
            f"{folder.name:28} {edit:6} {word}: {len(found)} tests, {dict(counts)}, "
            f"{edited} code objects edited, {called or 0} calls",
            flush=True,
        )
        for name in sorted(differing)[:20]:
            print(f"    {name}: {plain.get(name)} -> {found.get(name)}", flush=True)
        good = good and not differing
    return good


def main() -> int:
    parser = argparse.ArgumentParser(description="Packages' own tests, every function edited.")
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--edit", action="append", choices=EDITS)
    parser.add_argument("--seconds", type=float, default=600)
    options = parser.parse_args()
    print(f"CPython {sys.version.split()[0]}", flush=True)
    good = [
        compare(folder, options.edit or list(EDITS), options.seconds) for folder in options.folders
    ]
    return int(not all(good))


if __name__ == "__main__":
    sys.exit(main())
