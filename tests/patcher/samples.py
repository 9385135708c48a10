"""Code objects for the tests of the patcher."""

from __future__ import annotations

import random
import sysconfig
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from coscope.model import Code
from coscope.readers.from_function import from_code_object


def library(seed: int, count: int) -> list[Code]:
    """Modules of a seeded sample of the running interpreter's standard library."""
    root = Path(sysconfig.get_path("stdlib"))
    files = sorted(path for path in root.rglob("*.py") if "site-packages" not in path.parts)
    if not files:
        pytest.skip("the standard library is not there as files: Pyodide has it in an archive")
    modules = []
    for path in random.Random(seed).sample(files, min(count, len(files))):
        try:
            module = compile(path.read_bytes(), path.name, "exec", dont_inherit=True)
        except (SyntaxError, ValueError):  # test data that is not meant to compile
            continue
        modules.append(from_code_object(module))
    return modules


def function(source: str, **namespace: Any) -> Any:
    """The last function that a source defines, live; the rest of `namespace` is its globals."""
    compiled = compile(dedent(source), "source.py", "exec", dont_inherit=True)
    scope = {"__name__": "source", **namespace}
    known = set(scope)
    exec(compiled, scope)
    return scope[[name for name in scope if name not in known and name != "__builtins__"][-1]]


def code_of(source: str, qualname: str | None = None) -> Code:
    """A code object of a source: the last function, or the one of that qualified name."""
    module = from_code_object(compile(dedent(source), "source.py", "exec", dont_inherit=True))
    if qualname is None:
        return [constant for constant in module.consts if isinstance(constant, Code)][-1]
    return next(code for code in module.walk() if code.qualname == qualname)
