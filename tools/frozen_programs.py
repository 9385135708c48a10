"""Builds a program with PyInstaller, as one file and as a folder, and reads it from this Python.

python tools/frozen_programs.py PYTHON...      interpreters that have PyInstaller

Prints for each program the verdicts, and how many modules the verifier accepts.
Leaves with 1 if a module of the program's own is missing, or anything cannot be read.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "src"))

from coscope import read
from coscope.trust import trust

APP = """
import json
import inner

def main():
    print(json.dumps(inner.twice(21)))

main()
"""
INNER = "def twice(x):\n    return x * 2\n"


def built(python: str, folder: Path, form: str) -> Path:
    """A program of one form, `onefile` or `onedir`."""
    (folder / "app.py").write_text(APP, encoding="utf-8")
    (folder / "inner.py").write_text(INNER, encoding="utf-8")
    command = [python, "-m", "PyInstaller", "-y", "--log-level", "ERROR", f"--{form}", "app.py"]
    subprocess.run(command, cwd=folder, check=True)
    return folder / "dist" / ("app" if form == "onefile" else "app/app")


def main() -> int:
    failed = 0
    for python in sys.argv[1:]:
        for form in ("onefile", "onedir"):
            with tempfile.TemporaryDirectory() as place:
                program = built(python, Path(place), form)
                report = trust(program)
                names = {each.file.rpartition("::")[2] for each in report.files}
                able = [each.abilities for each in report.files if each.abilities is not None]
                verified = sum(each.verified is True for each in able)
                totals = {name: count for name, count in report.totals.items() if count}
                inner = next((name for name in names if name.endswith("/inner.pyc")), None)
                right = inner is not None and read(f"{program}::{inner}::twice").name != ""
                right = right and "app.pyc" in names and not report.unread
                failed += not right
                word = "right" if right else "WRONG"
                print(f"{python} {form}: {totals}, {verified} verified, {word}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
