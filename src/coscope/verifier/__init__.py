"""Can this code object crash the interpreter? One check a file; the verdict is a `Report`."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from pathlib import PurePath
from typing import Any

from coscope.errors import InputError, NoCodeObject
from coscope.model import Code, Function
from coscope.readers import locate
from coscope.readers.naming import parse
from coscope.readers.values import name_of_class
from coscope.rules import discover
from coscope.verifier.checks.ver806_types import check as check_types
from coscope.verifier.fields import has_exact_fields, text_of
from coscope.verifier.report import Contract, Report, Violation, contract_of
from coscope.verifier.subject import Subject

CHECKS = "coscope.verifier.checks"  # the package whose files are the checks

Check = Callable[[Subject], Iterable[Violation]]

_NO_CONTRACT = Contract("<unknown>", (), (), (), called=True)

__all__ = ["CHECKS", "Contract", "Report", "Violation", "verify"]


def verify(
    target: Any,
    *,
    python: str | None = None,
    file: str | None = None,
    code_version: str | None = None,
    without: Collection[str] = (),
) -> Report:
    """Say whether a code object can crash the interpreter. Nothing of it is executed.

    Of a live function or code object the bytes that `co_code` returns are verified. They need not
    be the bytes that run: `co_code` writes base opcodes and empty caches, whatever specialised
    opcodes somebody planted in the object. What the verdict covers is a copy that is made of these
    bytes, `c.replace(co_code=c.co_code)`. A .pyc is verified byte by byte as it is.

    Args:
        target: What `read` takes (a function, a code object, a file, "module:name"), or a `Code`
            or `Function` that it gave. Nested code objects are verified with it.
        python: Compile a source file by another interpreter: "3.12", "3.12.1" or a path.
        file: What the violations name as their file; if not given the file that was read, or the
            one that the code object names.
        code_version: The file is a code object without a header, of this CPython: "3.12".
        without: Codes of checks to leave out. For tests of the verifier: a verdict without one
            of them is worth nothing.

    Returns:
        The verdict; it is true of code that is entered as `Report.contract` says.

    Raises:
        InputError: What `read` raises.

    >>> verify(lambda x: x + 1).ok
    True
    """
    file = file or _file_of(target)
    warnings: tuple[str, ...] = ()
    if type(target) is Code:
        code = target
    else:
        meant = locate(target, python=python, code_version=code_version)
        if meant.cls is not None:
            return _of_class(meant.cls, meant.functions, file, without)
        code, warnings = meant.code, meant.function.warnings
    if type(code.version) is not str:
        raise InputError("the version of a code object is not a string", expected="a str")
    checks = [rule.check for rule in discover(CHECKS) if rule.code not in without]
    found, codes, structural = _look(code, file, checks)
    return Report(
        name=text_of(code.qualname),
        version=code.version,
        violations=tuple(each for each in found if not each.undecided),
        contract=contract_of(code) if has_exact_fields(code) else _NO_CONTRACT,
        codes=codes,
        structural=structural,
        file=file or text_of(code.filename),
        code=code,
        undecided=tuple(each for each in found if each.undecided),
        warnings=warnings,
    )


def _of_class(
    cls: type, functions: Sequence[Function], file: str | None, without: Collection[str]
) -> Report:
    """The verdict on every Python function that a class defines itself.

    Its contract is that of a function whose own closure does not meet it, if there is one.
    """
    name = name_of_class(cls)
    if not functions:
        raise NoCodeObject(
            f"{name} has no code object", found="a class that defines no Python function"
        )
    reports = [verify(function, file=file, without=without) for function in functions]
    contract = replace(_NO_CONTRACT, code=name, called=True)
    starts = [0]
    for function, report in zip(functions, reports, strict=True):
        starts.append(starts[-1] + report.codes)
        held = getattr(function.object, "__closure__", None)
        if report.contract.unmet(held) is not None:
            contract = report.contract
    return Report(
        name=name,
        version=reports[0].version,
        violations=_numbered(starts, [each.violations for each in reports]),
        contract=contract,
        codes=starts[-1],
        structural=reports[0].structural,
        file=file or reports[0].file,
        code=reports[0].code,
        undecided=_numbered(starts, [each.undecided for each in reports]),
    )


def _numbered(starts: list[int], found: list[tuple[Violation, ...]]) -> tuple[Violation, ...]:
    """Violations of several functions, their code objects numbered on."""
    return tuple(
        replace(each, number=each.number + start)
        for start, violations in zip(starts, found, strict=False)
        for each in violations
    )


def _look(
    code: Code, file: str | None, checks: Sequence[Check]
) -> tuple[list[Violation], int, bool]:
    """What the checks say, how many code objects there are, and whether kinds were not followed."""
    violations: list[Violation] = []
    codes = 0
    structural = False
    for number, inner in enumerate(code.walk()):
        subject = Subject(inner, file)
        codes += 1
        structural = subject.structural
        looking = checks if subject.exact else [check_types]
        found = [violation for check in looking for violation in check(subject)]
        if found:
            numbered = [
                replace(subject.with_stack(violation), number=number) for violation in found
            ]
            violations += sorted(numbered, key=_place)
        if not subject.exact:
            break  # its constants may be anything
    return violations, codes, structural


def _file_of(target: object) -> str | None:
    """The file that a target names, if it names one."""
    if isinstance(target, PurePath):
        return os.fspath(target)
    if type(target) is str:
        named = parse(target)
        return named.left if named.form == "file" else None
    return None


def _place(violation: Violation) -> int:
    return -1 if violation.offset is None else violation.offset
