"""Patches of files: a source or a .pyc in, a verified .pyc out. Nothing of them is executed."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from coscope.codec.pyc import read_header
from coscope.errors import ConstantNotFound, NotVerified, PatchError, hidden_for
from coscope.facts.differences.difference import Difference, diff
from coscope.facts.fingerprints.fingerprints import fingerprint
from coscope.model import Code, Function
from coscope.patcher.applying.apply import apply
from coscope.patcher.edits.checking import check, items
from coscope.patcher.edits.model import AnyEdit
from coscope.patcher.files.write_pyc import exists, to_pyc, write_atomically
from coscope.patcher.verbs.explaining import explained_in_file
from coscope.patcher.verbs.remarks import remarks
from coscope.patcher.verbs.requests import worded_all
from coscope.readers.files import read_file
from coscope.readers.from_source import read_bytes
from coscope.readers.naming import SOURCE
from coscope.readers.values import type_name_of
from coscope.result import Result
from coscope.verifier import Report, verify

__tracebackhide__ = hidden_for


@dataclass(frozen=True, slots=True)
class FilePatch(Result):
    """What was changed in a file, and where it was written."""

    file: str  # that was read
    output: str  # that was written
    version: str  # of CPython
    edits: tuple[AnyEdit, ...]
    changes: tuple[str, ...]  # the edits in words
    report: Report  # the verifier's verdict on all that was written
    size: int  # bytes of the output
    recognised: str  # by what an import knows that the output belongs to its source
    before: str  # fingerprint of the code
    after: str
    warning: str  # why one should not ship it
    notes: tuple[str, ...] = ()
    _ends: tuple[Function, Function] | None = field(default=None, compare=False, repr=False)

    @property
    def difference(self) -> Difference | None:
        """The two, instructions aligned."""
        return None if self._ends is None else diff(*self._ends)


_WARNING = (
    "not to be shipped: the source does not say what this file does, and the next compilation "
    "undoes it; a parameter, or a change of the source, lasts"
)


def patch_file(
    path: str,
    edits: Iterable[AnyEdit],
    output: str,
    *,
    python: str | None = None,
    force: bool = False,
) -> FilePatch:
    """Change the code of a file and write it as a .pyc. Nothing of it is executed.

    Args:
        path: A source file or a .pyc of CPython 3.8 to 3.15.
        edits: Applied in order to the module's code; `code` in them names one inside.
        output: The .pyc to write; it is written whole or not at all.
        python: Compile a source file by another interpreter: "3.12".
        force: Replace the output if it exists.

    Raises:
        PatchError: An edit cannot be made, or the output exists.
        NotVerified: The result could crash the interpreter; nothing is written.
        InputError: The file cannot be read.
    """
    path, output = _path("path", path), _path("output", output)
    check("force", force)
    check("python", python)
    if os.path.splitext(output)[1].lower() in SOURCE:
        raise PatchError(
            "a .pyc is not a source file", file=output, hint="Give the output a name in .pyc."
        )
    if not force and os.path.lexists(output):
        raise exists(output)
    wanted = items("edits", edits)
    if not wanted:
        raise PatchError("there is no edit to make", hint="Give --constant or --name.")
    found = read_file(path, python=python)
    try:
        changed = apply(found.code, wanted, lambda: found.source)
    except ConstantNotFound as problem:
        if problem.nested:
            problem.hint = f"{problem.nested[0]!r} does: name it with --at, or say --nested."
            raise
        raise explained_in_file(problem, found.code) from None
    result, data = _made(path, found, changed, wanted, output)
    write_atomically(output, data, force=force)
    return result


def _path(name: str, given: Any) -> str:
    try:
        return os.fsdecode(given)
    except TypeError:
        raise PatchError(f"{name} is the path of a file", found=type_name_of(given)) from None


def _made(
    path: str, found: Function, changed: Code, edits: tuple[AnyEdit, ...], output: str
) -> tuple[FilePatch, bytes]:
    """The bytes to write, and what will be reported of them."""
    report = verify(changed, file=path)
    if not report.ok:
        raise _unsafe(report, path)
    data = read_bytes(path)
    compiled = found.origin == "pyc"
    made = to_pyc(changed, like=data) if compiled else to_pyc(changed, source=data)
    after = replace(found, code=changed)
    result = FilePatch(
        file=path,
        output=output,
        version=changed.version,
        edits=edits,
        changes=tuple(each for edit in edits for each in worded_all(edit)),
        report=report,
        size=len(made),
        recognised=_recognised(made),
        before=fingerprint(found).value,
        after=fingerprint(after).value,
        warning=_WARNING,
        notes=(
            *_notes(found, report, compiled),
            *remarks(found.code, edits, lambda: found.source),
        ),
        _ends=(found, after),
    )
    return result, made


def _unsafe(report: Report, path: str) -> NotVerified:
    first = (report.violations or report.undecided)[0]
    problem = NotVerified(
        report.refusal or "",
        file=path,
        code=first.code,
        offset=first.offset,
        line=first.line,
        expected=first.expected,
        found=first.found,
        hint="Nothing was written.",
    )
    problem.report = report
    return problem


def _recognised(data: bytes) -> str:
    header = read_header(data)
    if not header.is_hash_based:
        return "time and size of the source, as before"
    if header.checks_source:
        return "the hash of the source, as before"
    return "nothing: an import takes it whatever the source says"


def _notes(found: Function, report: Report, compiled: bool) -> Iterable[str]:
    yield from found.warnings
    if report.structural:
        yield (
            f"of code of CPython {report.version} the structure alone is verified: it may still "
            "take one value for another"
        )
    if compiled and found.source is None:
        yield "the source that the .pyc was made of is not there"
