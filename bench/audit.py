"""Static audit of the standard library, against `list(dis.get_instructions())` over it.

    python bench/audit.py [--files N] [--rules PERF]

Prints CPU seconds of `dis` alone (compiling is not in it), of the audit with all static rules
(compiling is in it), and their ratio; then the wall time with one and two processes, and of a
second run from the cache; and the largest memory of the process.
"""

from __future__ import annotations

import argparse
import dis
import os
import random
import resource
import subprocess
import sys
import sysconfig
import tempfile
import warnings
from pathlib import Path
from time import perf_counter, process_time
from types import CodeType

from coscope.audits.engine import audit_file
from coscope.audits.selection import Selection
from coscope.errors import CoscopeError


def library(files: int | None) -> list[Path]:
    """The files of the standard library with its tests, or so many of them."""
    root = Path(sysconfig.get_path("stdlib"))
    found = sorted(file for file in root.rglob("*.py") if "site-packages" not in file.parts)
    return found if files is None else sorted(random.Random(20).sample(found, files))


def compiled(files: list[Path]) -> list[CodeType]:
    """Every code object of some files."""
    objects: list[CodeType] = []
    for file in files:
        try:
            pending = [compile(file.read_bytes(), str(file), "exec", dont_inherit=True)]
        except (SyntaxError, ValueError):
            continue
        while pending:
            co = pending.pop()
            objects.append(co)
            pending += [const for const in co.co_consts if isinstance(const, CodeType)]
    return objects


def with_dis(objects: list[CodeType]) -> float:
    """CPU seconds of the peer."""
    started = process_time()
    for co in objects:
        list(dis.get_instructions(co))
    return process_time() - started


def with_rules(files: list[Path], select: str) -> tuple[float, int, int]:
    """CPU seconds of the audit, its code objects and findings."""
    rules = Selection(select=(select,) if select else ()).rules()
    codes = findings = 0
    started = process_time()
    for file in files:
        try:
            audited = audit_file(str(file), rules)
        except CoscopeError:
            continue  # a test of the compiler that does not compile
        codes += audited.codes
        findings += len(audited.findings)
    return process_time() - started, codes, findings


def command(files: list[Path], *options: str, cache: str) -> float:
    """Wall seconds of `coscope audit`."""
    words = [sys.executable, "-m", "coscope", "audit", *options, *map(str, files)]
    environment = {**os.environ, "XDG_CACHE_HOME": cache}
    started = perf_counter()
    done = subprocess.run(words, env=environment, capture_output=True, check=False)
    if done.returncode not in (0, 1):
        sys.exit(done.stderr.decode())
    return perf_counter() - started


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int)
    parser.add_argument("--rules", default="")
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    files = library(given.files)
    taken, codes, findings = with_rules(files, given.rules)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    objects = compiled(files)
    peer = with_dis(objects)
    print(f"{len(files)} files, {codes} code objects, {findings} findings")
    print(f"dis.get_instructions {peer:.2f} s CPU; audit, compiling included, {taken:.2f} s CPU")
    print(f"ratio {peer / taken:.2f} (3 asked); memory {memory:.0f} MiB (500 asked)")
    files = [file for file in files if compiled([file])]  # of others the command tells an error
    with tempfile.TemporaryDirectory() as cache:
        one = command(files, "--no-cache", cache=cache)
        two = command(files, "--no-cache", "-j", "2", cache=cache)
        command(files, cache=cache)
        again = command(files, cache=cache)
    print(f"-j 1 {one:.2f} s, -j 2 {two:.2f} s: {one / two:.2f} times (1.7 asked)")
    print(f"from the cache {again:.2f} s: {one / again:.1f} times (10 asked)")


if __name__ == "__main__":
    main()
