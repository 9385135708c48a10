"""Can this code object crash the interpreter? One check a file; the verdict is a `Report`."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from coscope.model import Code, Function
from coscope.readers import read
from coscope.rules import discover
from coscope.verifier.report import Contract, Report, Violation, contract_of
from coscope.verifier.subject import Subject

__all__ = ["Contract", "Report", "Violation", "verify"]


def verify(
    target: Any,
    *,
    python: str | None = None,
    file: str | None = None,
    without: Collection[str] = (),
) -> Report:
    """Say whether a code object can crash the interpreter. Nothing is executed.

    Args:
        target: A `Code` or `Function` of coscope's, or what `read` takes. Nested code objects are
            examined too.
        python: As in `read`.
        file: Named in the violations; that of the code object, if it is not given.
        without: Codes of checks to leave out. For tests of the verifier: a verdict without one
            of them is worth nothing.

    Raises:
        InputError: What `read` raises.
    """
    if not isinstance(target, Code | Function):
        target = read(target, python=python)
    code = target.code if isinstance(target, Function) else target
    rules = [rule for rule in discover("coscope.verifier.checks") if rule.code not in without]
    checks = [rule.check for rule in rules]
    violations: list[Violation] = []
    codes = 0
    for inner in code.walk():
        subject = Subject(inner, file)
        codes += 1
        found = [violation for check in checks for violation in check(subject)]
        if found:
            violations += sorted(found, key=_place)
    return Report(
        name=code.qualname,
        version=code.version,
        violations=tuple(violations),
        contract=contract_of(code),
        codes=codes,
        structural=subject.structural,
        file=file or code.filename,
    )


def _place(violation: Violation) -> int:
    return -1 if violation.offset is None else violation.offset
