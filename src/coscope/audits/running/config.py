"""`[tool.coscope]` of a pyproject.toml: what a project always wants."""

from __future__ import annotations

import os
import re
import stat
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path

from coscope.audits.options import Options, from_table
from coscope.audits.running.small_files import read_text
from coscope.audits.selection import selected
from coscope.errors import InputError
from coscope.opcodes import VERSIONS

FILE = "pyproject.toml"


@dataclass(frozen=True, slots=True)
class Config:
    """What a configuration file says; what it does not say is empty."""

    file: Path | None = None
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()  # patterns of `fnmatch`, for paths with "/"
    force_exclude: bool = False  # named files are left out, too
    baseline: Path | None = None
    python: str | None = None
    fail_on: str | None = None  # a severity, or "never"
    options: Options = field(default_factory=Options)
    notes: tuple[str, ...] = ()  # why its file may not be the user's


_LISTS = ("select", "ignore", "exclude")
_SWITCHES = ("force-exclude",)
_TEXTS = ("baseline", "python", "fail-on")
FAIL_ON = ("error", "warning", "info", "never")
_VERSION = re.compile(r"\d+\.\d+(\.\d+\w*)?", re.ASCII)


def find_config(targets: Iterable[str]) -> Path | None:
    """The pyproject.toml with a `[tool.coscope]` nearest above the first target that exists."""
    first = next((target for target in targets if os.path.exists(target)), ".")
    start = Path(first).resolve()
    for folder in (start, *start.parents):
        path = folder / FILE
        if path.is_file() and _table_of(path) is not None:
            return path
    return None


def read_config(path: Path) -> Config:
    """The configuration of a file.

    Raises:
        InputError: It is not TOML, a key or value is unknown, or it names an interpreter by
            more than its version: what a file in the audited tree names is never started.
    """
    table = _table_of(path)
    if table is None:
        raise InputError("there is no [tool.coscope]", file=path)
    _check_keys(table, path)
    lists = {name: _list(table, name, path) for name in _LISTS}
    baseline, python, fail_on = (_text(table, name, path) for name in _TEXTS)
    _check_python(python, path)
    _check_severity(fail_on, path)
    _check_codes((*lists["select"], *lists["ignore"]), path)
    return Config(
        file=path,
        select=lists["select"],
        ignore=lists["ignore"],
        exclude=lists["exclude"],
        force_exclude=_switch(table, "force-exclude", path),
        baseline=None if baseline is None else path.parent / baseline,
        python=python,
        fail_on=fail_on,
        options=from_table(table, path),
        notes=tuple(_doubts(path)),
    )


def _check_keys(table: dict[str, object], path: Path) -> None:
    known = {
        *_LISTS,
        *_SWITCHES,
        *_TEXTS,
        *(name.replace("_", "-") for name in Options.__dataclass_fields__),
    }
    for key in table:
        if key not in known:
            close = get_close_matches(key, sorted(known), n=1)
            raise InputError(
                f"[tool.coscope] has no key {key!r}",
                file=path,
                expected=", ".join(sorted(known)),
                hint=f"Did you mean {close[0]}?" if close else None,
            )


def _check_python(python: str | None, path: Path) -> None:
    """A version only: what a file in the audited tree names is never started."""
    if python is not None and _VERSION.fullmatch(python) is None:
        raise InputError(
            "[tool.coscope] python is not a version",
            file=path,
            expected=f"a version such as {VERSIONS[-1]}, or a release such as {VERSIONS[-1]}.0",
            found=python,
            hint="A path or a command can be given on the command line alone, with --python.",
        )


def _check_severity(fail_on: str | None, path: Path) -> None:
    if fail_on is not None and fail_on not in FAIL_ON:
        raise InputError(
            "[tool.coscope] fail-on is not a severity",
            file=path,
            expected=", ".join(FAIL_ON),
            found=fail_on,
        )


def _check_codes(words: tuple[str, ...], path: Path) -> None:
    if not words:
        return
    try:
        selected(words, ()).rules()
    except InputError as error:
        raise InputError(
            f"[tool.coscope] select or ignore: {error.what}",
            file=path,
            expected=error.found,
            hint=error.hint,
        ) from error


def _switch(table: dict[str, object], name: str, path: Path) -> bool:
    value = table.get(name, False)
    if type(value) is not bool:
        raise InputError(f"[tool.coscope] {name} is not true or false", file=path)
    return value


def _doubts(path: Path) -> Iterator[str]:
    """Signs that somebody else decides what the configuration says."""
    if path.is_symlink():
        yield f"the configuration {path} is a symbolic link to {os.path.realpath(path)}"
    if not hasattr(os, "geteuid"):
        return
    status = os.stat(path)
    if status.st_uid not in (os.geteuid(), 0):
        yield f"the configuration {path} belongs to another user (uid {status.st_uid})"
    elif status.st_mode & stat.S_IWOTH:
        yield f"the configuration {path} can be written by every user"


def _table_of(path: Path) -> dict[str, object] | None:
    try:
        tool = tomllib.loads(read_text(path, "the configuration")).get("tool", {})
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise InputError(f"this is not TOML: {error}", file=path) from error
    table = tool.get("coscope") if isinstance(tool, dict) else None
    if table is not None and not isinstance(table, dict):
        raise InputError("tool.coscope is not a table", file=path, found=type(table).__name__)
    return table


def _list(table: dict[str, object], name: str, path: Path) -> tuple[str, ...]:
    value = table.get(name, [])
    if not isinstance(value, list) or not all(type(each) is str for each in value):
        raise InputError(f"[tool.coscope] {name} is not a list of strings", file=path)
    return tuple(value)


def _text(table: dict[str, object], name: str, path: Path) -> str | None:
    value = table.get(name)
    if value is not None and type(value) is not str:
        raise InputError(f"[tool.coscope] {name} is not a string", file=path)
    return value
