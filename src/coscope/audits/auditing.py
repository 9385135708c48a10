"""`coscope.audit`: the static rules over files, folders and functions, as one result."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from coscope.audits.options import Options
from coscope.audits.running.engine import Audited, audit_file, audit_unit, unit_of, with_bounds
from coscope.audits.running.suppression import sift
from coscope.audits.selection import selected
from coscope.errors import CoscopeError, TargetNotFound
from coscope.model import Finding
from coscope.readers import locate
from coscope.readers.naming import SOURCE
from coscope.result import Result
from coscope.rules import Rule


@dataclass(frozen=True, slots=True)
class Audit(Result):
    """What the rules find."""

    target: str  # what was looked at, in words
    findings: tuple[Finding, ...]
    files: int  # that were looked at
    codes: int  # code objects in them
    ignored: int  # findings that comments in the source take away
    errors: tuple[CoscopeError, ...]  # of what could not be read

    @property
    def ok(self) -> bool:
        """True if everything could be read, and nothing was found."""
        return not (self.findings or self.errors)


def audit(
    *targets: object,
    select: Iterable[str] = (),
    ignore: Iterable[str] = (),
    python: str | None = None,
) -> Audit:
    """Run the static rules, as `coscope audit` does. Files are compiled, never executed.

    A live function is audited as code, without its values.

    Args:
        targets: Folders, and whatever `coscope.read` takes.
        select: Beginnings of the codes of rules to run: "PERF", "DYN101"; () runs all.
        ignore: Beginnings of those not to run.
        python: Compile source files by another interpreter.

    Raises:
        InputError: The only target cannot be read; of several, `errors` says so.

    >>> [each.rule for each in audit(eval("lambda text: eval(text)")).findings]
    ['DYN101']
    """
    rules = selected(select, ignore).rules()
    found: list[Audited] = []
    errors: list[CoscopeError] = []
    each = [part for target in targets for part in _parts(target)]
    for part in each:
        try:
            found.append(_audited(part, rules, python))
        except CoscopeError as error:
            if len(each) == 1:
                raise
            errors.append(error)
    measured = with_bounds((f for one in found for f in one.findings), rules, Options())
    sifted = sift(measured)
    return Audit(
        target=", ".join(_named(target) for target in targets),
        findings=tuple(sifted.findings),
        files=len(found),
        codes=sum(one.codes for one in found),
        ignored=sifted.ignored,
        errors=tuple(errors),
    )


def _parts(target: object) -> Iterator[object]:
    """The source files of a folder; anything else is one."""
    path = os.fspath(target) if isinstance(target, str | os.PathLike) else None
    if not isinstance(path, str) or not os.path.isdir(path):
        yield target
        return
    files = list(_files_in(path))
    if not files:
        raise TargetNotFound("the folder has no .py file", file=path)
    yield from files


def _files_in(folder: str) -> Iterator[str]:
    for path, folders, names in os.walk(folder):
        folders[:] = sorted(each for each in folders if not each.startswith((".", "__pycache__")))
        for name in sorted(names):
            if not name.startswith(".") and name.lower().endswith(SOURCE[:1]):
                yield os.path.join(path, name)


def _audited(part: object, rules: tuple[Rule, ...], python: str | None) -> Audited:
    path = os.fspath(part) if isinstance(part, str | os.PathLike) else None
    if isinstance(path, str) and os.path.isfile(path):
        return audit_file(path, rules, python=python)
    function = locate(part, python=python).function
    return audit_unit(unit_of(function, function.code.filename), rules)


def _named(target: object) -> str:
    if isinstance(target, str | os.PathLike):
        return str(os.fspath(target))
    return locate(target).function.qualname
