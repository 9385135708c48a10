"""The text that a user writes for a target -> its parts. Nothing is opened, and nothing imported.

This is the one place that decides whether a text names a file. A file is never imported: not one
that exists, and not one whose name ends as Python's own files do.
"""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterator
from typing import NamedTuple

from coscope.errors import TargetNotFound

SOURCE = (".py", ".pyw", ".pyi")  # suffixes of what is compiled
COMPILED = (".pyc", ".pyo")  # of what is read byte by byte
NATIVE = (".so", ".pyd", ".dll", ".dylib")  # of what has no code objects
MODULE = "<module>"  # the qualified name of a module's own code
STDIN = "-"

_DRIVE = re.compile(r"[A-Za-z]:[\\/]")  # of a path of Windows: its colon separates nothing

HINT = "Give a file, file.py::name, file.py:LINE, module:name, or a dotted name."


class Named(NamedTuple):
    """The parts of a target's text."""

    form: str  # "file", "stdin", "import" (module:name) or "dotted"
    left: str  # the file, or the module's name, or the whole dotted name
    part: str = ""  # qualified name inside of it; "" for the whole
    line: int | None = None  # of "file.py:LINE", from 1
    column: int | None = None  # of "file.py:LINE:COLUMN", from 1

    @property
    def imports(self) -> bool:
        """True if reading it imports a module, and so runs it."""
        return self.form in ("import", "dotted")


def parse(text: str) -> Named:
    """Take a target's text apart.

    Raises:
        TargetNotFound: It names nothing, or a file in the form in which modules are named.

    >>> parse("app/orders.py::Order.total")
    Named(form='file', left='app/orders.py', part='Order.total', line=None, column=None)
    >>> parse("orders.py:12").line
    12
    >>> parse('orders:handlers["a:b"].run')[:3]
    ('import', 'orders', 'handlers["a:b"].run')
    >>> parse("json.dumps").form
    'dotted'
    """
    if text == STDIN or text.startswith(f"{STDIN}:"):
        return _of_stdin(text)
    if _exists(text):
        return Named("file", text)
    for at in _colons(text):
        left, right = text[:at], text[at:]
        if right.startswith("::"):
            if not left:
                raise TargetNotFound(
                    f"{text!r} names no file",
                    hint="Give a file before the '::': file.py::name.",
                )
            return Named("file", left, right[2:])
        if names_a_file(left):
            return _in_file(text, left, right[1:])
    if names_a_file(text):
        return Named("file", text)
    left, colon, right = text.partition(":")
    if colon:
        return Named("import", left, right)
    return _dotted(text)


def _dotted(text: str) -> Named:
    """A name without a colon; none of its beginnings may be a file."""
    refuse_files(text)
    return Named("dotted", text)


def refuse_files(dotted: str) -> None:
    """Refuse a dotted name if it, or a beginning of it, is a file's name.

    Raises:
        TargetNotFound: It is; the message says what to write instead.
    """
    parts = dotted.split(".")
    for count in range(1, len(parts) + 1):
        file = ".".join(parts[:count])
        if names_a_file(file):
            rest = ".".join(parts[count:])
            raise TargetNotFound(
                f"{dotted!r} names a file as if it were a module, and a file is never imported",
                hint=f"Write {file}{'::' if rest else ''}{rest}, or {file}:LINE.",
            )


def _of_stdin(text: str) -> Named:
    rest = text[1:]
    if rest.startswith("::"):
        return Named("stdin", STDIN, rest[2:])
    return _in_file(text, STDIN, rest[1:])._replace(form="stdin") if rest else Named("stdin", STDIN)


def _in_file(text: str, file: str, rest: str) -> Named:
    """What is behind the single colon after a file: a line, and perhaps a column."""
    line, _, column = rest.partition(":")
    if line.isdecimal() and (column.isdecimal() or rest == line):
        return Named("file", file, "", int(line), int(column) if column else None)
    wanted = f"{file}::{rest}" if rest else file
    raise TargetNotFound(
        f"{text!r} names a file as if it were a module, and a file is never imported",
        hint=f"Write {wanted}, or {file}:LINE.",
    )


def _colons(text: str) -> Iterator[int]:
    """Where the colons outside of brackets are; those of `["a:b"]` separate nothing."""
    at = 2 if _DRIVE.match(text) else 0
    while at < len(text):
        if text[at] == "[":
            item = _item(text, at)
            at = at + 1 if item is None else item[1]
            continue
        if text[at] == ":":
            yield at
            at += 1 if text[at : at + 2] == "::" else 0
        at += 1


def names_a_file(text: str) -> bool:
    """True for what is a file's name: one that exists, has a separator, or ends as Python's do.

    A folder's name alone is not: it may be a package.
    """
    suffix = os.path.splitext(text)[1].lower()
    separators = {os.sep, os.altsep or os.sep, "/"}
    return (
        suffix in (*SOURCE, *COMPILED, *NATIVE)
        or any(separator in text for separator in separators)
        or (_exists(text) and not os.path.isdir(text))
    )


def _exists(path: str) -> bool:
    """True for a file or a folder, and for a link that leads nowhere."""
    try:
        return os.path.lexists(path)
    except ValueError:  # a null byte
        return False


def is_source(path: str) -> bool:
    """True for a file that is taken as source text."""
    return not path.lower().endswith((*NATIVE, *COMPILED))


def imports(target: object) -> bool:
    """True for the text of a target that is imported, and so runs."""
    if not issubclass(type(target), str):
        return False
    try:
        return parse(str.__str__(target)).imports
    except TargetNotFound:
        return False


def stays_here(target: str) -> bool:
    """True for the text of a target that only this process can read: a live one, or its input."""
    return imports(target) or target == STDIN or target.startswith(f"{STDIN}:")


class Step(NamedTuple):
    """One step of a name such as `handlers["get"].run`."""

    text: str  # as written, with its dot or brackets
    name: str | None  # of an attribute; None: an item
    key: object = None  # of the item: an int, a str, or another literal


def steps_of(qualname: str) -> list[Step]:
    """Take a name inside of a module apart.

    Raises:
        TargetNotFound: It is not of the form name, name.name or name[0]["key"].

    >>> [(step.name, step.key) for step in steps_of('handlers["get"].run')]
    [('handlers', None), (None, 'get'), ('run', None)]
    """
    found: list[Step] = []
    at = 0
    while at < len(qualname):
        if qualname[at] == "[" and found:
            item = _item(qualname, at)
            if item is None:
                raise TargetNotFound(
                    f"{qualname!r} holds an index that is no literal",
                    expected='[0] or ["key"]',
                    found=qualname[at:],
                )
            found.append(Step(qualname[at : item[1]], None, item[0]))
            at = item[1]
            continue
        start = at + (qualname[at] == "." and bool(found))
        name = re.match(r"[^.\[]*", qualname[start:])
        end = start + (name.end() if name else 0)
        if end == start:
            break
        found.append(Step(qualname[at:end], qualname[start:end]))
        at = end
    if at < len(qualname) or not found:
        raise TargetNotFound(f"{qualname!r} is not the name of something in a module", hint=HINT)
    return found


def _item(text: str, at: int) -> tuple[object, int] | None:
    """The literal between the brackets that open there, and where they are closed."""
    end = at
    while (end := text.find("]", end + 1)) >= 0:
        try:
            key = ast.literal_eval(text[at + 1 : end].strip())
        except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
            continue
        if type(key) in (int, str, bytes, bool, float, type(None)):
            return key, end + 1
    return None
