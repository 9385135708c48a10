"""Compile the golden snippets of tests/flow with every CPython that can be found here.

    python tools/goldens.py [VERSION...]

Writes tests/flow/goldens/data/<version>/*.pyc. Run it after a change of the snippets, then run
`pytest tests/flow/test_goldens.py --bless` and review the difference. Another patch release of a
version may compile differently: so it only rewrites what is asked for.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import interpreters

GOLDENS = interpreters.ROOT / "tests" / "flow" / "goldens"
PROGRAM = Path(__file__).with_name("goldens_compile.py")


def main(versions: list[str]) -> int:
    """Compile for the versions given, or for all; 1 if one of them is missing."""
    missing = []
    for version in versions or interpreters.VERSIONS:
        command = _command(version)
        if command is None:
            missing.append(version)
            continue
        for old in (GOLDENS / "data" / version).glob("*.pyc"):
            old.unlink()
        subprocess.run(command, check=True)
        print(f"{version}: compiled")
    if missing:
        print(f"not found: {', '.join(missing)}", file=sys.stderr)
    return 1 if missing else 0


def _command(version: str) -> list[str] | None:
    """How to run the compiling program in this version."""
    out = GOLDENS / "data" / version
    python = interpreters.find(version)
    arguments = ["-I", "-S", str(PROGRAM), str(GOLDENS / "snippets"), str(out)]
    return None if python is None else [str(python), *arguments]


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
