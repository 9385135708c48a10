"""The standard library of this interpreter, which the benchmarks work on."""

from __future__ import annotations

import random
import sysconfig
from collections.abc import Iterable
from pathlib import Path
from types import CodeType


def library(files: int | None = None, seed: int = 20) -> list[Path]:
    """The files of the standard library with its tests, or so many of them by lot."""
    root = Path(sysconfig.get_path("stdlib"))
    found = sorted(file for file in root.rglob("*.py") if "site-packages" not in file.parts)
    return found if files is None else random.Random(seed).sample(found, files)


def compiled(files: Iterable[Path]) -> list[CodeType]:
    """Every code object of some files; of tests of the compiler none."""
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
