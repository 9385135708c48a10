"""`coscope audit --fix` and `--diff`: files are written anew, or it is shown how they would be."""

from __future__ import annotations

import ast
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from coscope.readers.notebooks import is_notebook

if TYPE_CHECKING:
    from coscope.audits.options import Options
    from coscope.model import Finding
    from coscope.render.results.audit import FileFix, Outcome


def fix_files(outcome: Outcome, options: Options, *, write: bool, unsafe: bool) -> None:
    """Fix what can be fixed of an audit's findings, and take that away from them.

    Args:
        outcome: Of an audit of files; gets the differences.
        options: Of the rules.
        write: False: only the differences are made, and all findings stay.
        unsafe: Also make changes after which the program may do something else.

    Raises:
        InputError: A file cannot be written.
    """
    from coscope.tuner.fixes import FIXABLE

    by_file: dict[str, list[Finding]] = {}
    for finding in outcome.findings:
        if finding.rule in FIXABLE and finding.file is not None:
            by_file.setdefault(finding.file, []).append(finding)
    gone: list[Finding] = []
    for file, findings in by_file.items():
        made = _fix_file(file, findings, options, write=write, unsafe=unsafe)
        if made is not None:
            fixed, entry = made
            outcome.fixes.append(entry)
            gone += fixed if write else ()
    outcome.findings = [each for each in outcome.findings if each not in gone]


def _fix_file(
    file: str, findings: Sequence[Finding], options: Options, *, write: bool, unsafe: bool
) -> tuple[Sequence[Finding], FileFix] | None:
    """What is done about one file; None if there is nothing that can be done."""
    from coscope.audits.running.engine import read_unit
    from coscope.audits.running.small_files import write_text
    from coscope.errors import InputError
    from coscope.readers.naming import is_source
    from coscope.render.results.audit import FileFix
    from coscope.tuner.fixes import fix
    from coscope.tuner.sources import difference

    if is_notebook(file) or not is_source(file):
        return None
    text = _text(file)
    if text is None:
        return None
    made = fix(read_unit(file, options), text.replace("\r\n", "\n"), findings, unsafe=unsafe)
    after = made.text.replace("\n", "\r\n") if "\r\n" in text else made.text
    if not made.fixed and not made.unsafe:
        return None
    if write and made.fixed:
        try:
            write_text(Path(file), after)
        except OSError as error:
            raise InputError(f"cannot write the file: {error.strerror}", file=file) from error
    shown = os.path.relpath(file) if os.path.isabs(file) else file
    diff = difference(text.replace("\r\n", "\n"), made.text, shown.replace(os.sep, "/"))
    return made.fixed, FileFix(file, diff, len(made.fixed), made.unsafe, write and bool(made.fixed))


def _text(file: str) -> str | None:
    """The text of a file as it is written again; None for one whose bytes that would change."""
    try:
        data = Path(file).read_bytes()
        text = data.decode("utf-8")
        ast.parse(data)
    except (OSError, ValueError, SyntaxError, RecursionError, MemoryError):
        return None  # another encoding, or written for another Python
    mixed = "\r\n" in text and text.count("\n") != text.count("\r\n")
    return None if mixed or "\r" in text.replace("\r\n", "") or text.startswith("\ufeff") else text
