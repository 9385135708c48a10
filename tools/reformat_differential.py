"""Compare a standard library with itself after a reformat; no difference may be found.

    python tools/reformat_differential.py move|unparse [--step N] [--folder FOLDER]

`move` puts comment and blank lines in, `unparse` writes every file anew. The library is that of
the running interpreter; --step takes every Nth file only. The exit status is 1 if files differ.
"""

from __future__ import annotations

import argparse
import sys
import sysconfig
import warnings
from pathlib import Path

from coscope.errors import CoscopeError
from coscope.facts.differences.difference import Difference, diff
from coscope.readers.from_source import from_source

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.facts.differences.reformat import with_lines_moved, written_anew


def compare(path: Path, kind: str) -> Difference | None:
    """The difference of one file; None if it does not compile."""
    source = path.read_bytes()
    try:
        before = from_source(source, str(path))
        moved = with_lines_moved(source) if kind == "move" else written_anew(source)
        return diff(before, from_source(moved, str(path)))
    except (CoscopeError, SyntaxError, UnicodeError, ValueError, RecursionError):
        return None


def main() -> int:
    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=("move", "unparse"))
    parser.add_argument("--step", type=int, default=1)
    parser.add_argument("--folder", type=Path, default=Path(sysconfig.get_path("stdlib")))
    given = parser.parse_args()
    paths = sorted(
        path for path in given.folder.rglob("*.py") if "site-packages" not in path.parts
    )[:: given.step]
    files = codes = skipped = different = 0
    for path in paths:
        found = compare(path, given.kind)
        if found is None:
            skipped += 1
            continue
        files += 1
        codes += found.left.codes
        if not found.same:
            different += 1
            print(f"{path}\n{found}")
    print(
        f"{sys.version.split()[0]}: {files} files, {codes} code objects, "
        f"{different} files differ, {skipped} do not compile"
    )
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
