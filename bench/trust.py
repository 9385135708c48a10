"""How fast `coscope trust` judges an environment, against recompiling it by compileall.

python bench/trust.py [FOLDER]      bytecode of this interpreter; its own site-packages if not given

`python -m compileall -f` compiles every source and writes the .pyc files: the same work but for the
comparison. It runs on a copy, in the same run, on one core like the rival.
"""

from __future__ import annotations

import compileall
import shutil
import sys
import sysconfig
import tempfile
import time
from pathlib import Path

from coscope.trust import trust


def timed(work: object, *arguments: object, **options: object) -> tuple[float, float, object]:
    """Wall and CPU seconds, and what came of it."""
    assert callable(work)
    wall, cpu = time.perf_counter(), time.process_time()
    result = work(*arguments, **options)
    return time.perf_counter() - wall, time.process_time() - cpu, result


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else sysconfig.get_path("purelib"))
    with tempfile.TemporaryDirectory() as place:
        copy = Path(place) / "site-packages"
        shutil.copytree(folder, copy, symlinks=True)
        options = {"quiet": 2, "workers": 1, "force": True}
        _, rival, _ = timed(compileall.compile_dir, str(copy), **options)
        cache = Path(place) / "cache"
        wall, cpu, report = timed(trust, copy, cache=cache)
        again, _, _ = timed(trust, copy, cache=cache)
    files = len(report.files)  # type: ignore[attr-defined]
    print(f"CPython {sys.version.split()[0]}, {files:,} bytecode files")
    print(f"compileall -f     {rival:7.1f} s CPU  {files / rival:7.0f} files/s")
    print(f"coscope trust     {cpu:7.1f} s CPU  {files / cpu:7.0f} files/s  ({wall:.1f} s)")
    print(f"once more, cached {again:7.1f} s")
    print(f"ratio: trust takes {cpu / rival:.2f} of the CPU time of compileall")


if __name__ == "__main__":
    main()
