"""Can this code object crash the interpreter? One check a file; the verdict is a `Report`."""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import replace
from pathlib import PurePath
from typing import Any

from coscope.model import Code, Function
from coscope.readers import read
from coscope.readers.targets import is_live_name
from coscope.rules import discover
from coscope.verifier.report import Contract, Report, Violation, contract_of
from coscope.verifier.subject import Subject

CHECKS = "coscope.verifier.checks"  # the package whose files are the checks

__all__ = ["CHECKS", "Contract", "Report", "Violation", "verify"]


def verify(
    target: Any,
    *,
    python: str | None = None,
    file: str | None = None,
    without: Collection[str] = (),
) -> Report:
    """Say whether a code object can crash the interpreter. Nothing of it is executed.

    Of a live function or code object the bytes that `co_code` returns are verified. They need not
    be the bytes that run: `co_code` writes base opcodes and empty caches, whatever specialised
    opcodes somebody planted in the object. What the verdict covers is a copy that is made of these
    bytes, `c.replace(co_code=c.co_code)`. A .pyc is verified byte by byte as it stands.

    Args:
        target: What `read` takes (a function, a code object, a file, "module:name"), or a `Code`
            or `Function` that it gave. Nested code objects are verified with it.
        python: Compile a source file by another interpreter: "3.12", "3.12.1" or a path.
        file: What the violations name as their file; if not given the file that was read, or the
            one that the code object names.
        without: Codes of checks to leave out. For tests of the verifier: a verdict without one
            of them is worth nothing.

    Returns:
        The verdict; it is true of code that is entered as `Report.contract` says.

    Raises:
        InputError: What `read` raises.

    >>> verify(lambda x: x + 1).ok
    True
    """
    if not isinstance(target, Code | Function):
        file = file or _file_of(target)
        target = read(target, python=python)
    code = target.code if isinstance(target, Function) else target
    rules = [rule for rule in discover(CHECKS) if rule.code not in without]
    checks = [rule.check for rule in rules]
    violations: list[Violation] = []
    codes = 0
    for number, inner in enumerate(code.walk()):
        subject = Subject(inner, file or inner.filename)
        codes += 1
        found = [violation for check in checks for violation in check(subject)]
        if found:
            numbered = [
                replace(subject.with_stack(violation), number=number) for violation in found
            ]
            violations += sorted(numbered, key=_place)
    return Report(
        name=code.qualname,
        version=code.version,
        violations=tuple(violations),
        contract=contract_of(code),
        codes=codes,
        structural=subject.structural,
        file=file or code.filename,
        code=code,
    )


def _file_of(target: object) -> str | None:
    """The file that a target names, if it names one."""
    if isinstance(target, PurePath):
        return os.fspath(target)
    if type(target) is str and not is_live_name(target):
        return target.partition("::")[0]
    return None


def _place(violation: Violation) -> int:
    return -1 if violation.offset is None else violation.offset
