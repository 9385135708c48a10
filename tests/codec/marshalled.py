"""Genuine marshalled code, made and described by other interpreters; our model in that form."""

from __future__ import annotations

import json
import random
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from coscope.model import Code, Collection, FrozenSet, Slice
from coscope.opcodes import table
from tests.codec import describe_code

SCRIPT = Path(describe_code.__file__)


class Genuine(NamedTuple):
    """One file as that interpreter compiles it."""

    path: str
    data: bytes  # marshalled
    description: Any  # by `describe_code.py` in that interpreter


def library(python: Path) -> list[Path]:
    """Every file of an interpreter's standard library, tests included, in a fixed order."""
    code = "import sysconfig; print(sysconfig.get_path('stdlib'))"
    root = Path(_run(python, "-c", code).strip())
    return sorted(
        file for file in root.rglob("*.py") if file.is_file() and "site-packages" not in file.parts
    )


def sample(python: Path, count: int, seed: int = 2) -> list[Path]:
    """So many files of its standard library, the same ones at every run."""
    return random.Random(seed).sample(library(python), count)


def compiled(python: Path, files: list[Path]) -> Iterator[Genuine]:
    """Compile files by that interpreter; those that do not compile are left out."""
    for batch in [files[at : at + 50] for at in range(0, len(files), 50)]:
        for line in _run(python, str(SCRIPT), stdin=json.dumps([*map(str, batch)])).splitlines():
            path, data, description = json.loads(line)
            yield Genuine(path, bytes.fromhex(data), description)


def _run(python: Path, *arguments: str, stdin: str = "") -> str:
    command = [str(python), "-I", "-S", *arguments]
    return subprocess.run(command, input=stdin, capture_output=True, text=True, check=True).stdout


def described(value: Any) -> Any:
    """Our model in the form of `describe_code.described`."""
    if isinstance(value, Code):
        return ["code", described_code(value)]
    if isinstance(value, FrozenSet):
        return ["frozenset", sorted(map(described, value.items), key=json.dumps)]
    if isinstance(value, Slice):
        return ["slice", [described(value.start), described(value.stop), described(value.step)]]
    if isinstance(value, tuple):
        return ["tuple", [*map(described, value)]]
    assert type(value) is not Collection
    return json.loads(json.dumps(describe_code.described(value)))


def described_code(code: Code) -> dict[str, Any]:
    """As `describe_code.described_code`."""
    fields = {
        field: described(int(value) if field == "flags" else value)
        for field in [*describe_code.FIELDS, "linetable"]
        for value in [getattr(code, field)]
    }
    if table(code.version).layout == "cells apart":
        del fields["qualname"], fields["exceptiontable"]
        fields["made"] = made_names(code)
    return fields


def made_names(code: Code) -> list[str]:
    """Qualified names of the code that MAKE_FUNCTION uses, in order."""
    steps = [step for step in code.instructions if step.opname != "EXTENDED_ARG"]
    return [
        before.argval.qualname
        for before, step in zip(steps, steps[2:], strict=False)
        if step.opname == "MAKE_FUNCTION"
    ]
