"""The text that code was compiled from: of files, and of cells that `linecache` holds."""

from __future__ import annotations

import ast
import encodings
import io
import linecache
import os
import re
import stat
import tokenize
import zlib
from ast import parse
from collections.abc import Iterator
from functools import lru_cache
from hashlib import sha256
from os import stat as file_status
from typing import NamedTuple

from coscope.errors import SourceError
from coscope.model import Code, Source
from coscope.readers.notebooks import is_notebook, text_of

# These functions are held by their own names: a module that is read may have put others into `os`,
# `ast` or `builtins` when it was imported.

_LARGEST = 32 * 2**20  # bytes; a larger "source" is not shown


def source_of(filename: str, code: Code | None = None) -> Source | None:
    """The source that a code object's `co_filename` names, or None if it cannot be had.

    A file is read and decoded by its PEP 263 declaration, one in a zip archive too. For a name
    such as `<ipython-input-3>` the lines are those that a notebook, `doctest`, attrs or the
    interactive interpreter left in `linecache`; a loader is never asked.

    Args:
        filename: The name.
        code: The code object, where several texts may have the name: `<python-input-0>`.
    """
    try:
        status = file_status(filename)
    except NotADirectoryError:
        return _archived(filename) or _cached_lines(filename, code)
    except (OSError, ValueError):
        return _cached_lines(filename, code)
    if not stat.S_ISREG(status.st_mode) or status.st_size > _LARGEST:
        return None
    return _read(filename, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=64)
def _read(filename: str, mtime: int, size: int) -> Source | None:
    """One state of one file. The times and sizes in the key make a changed file be read again."""
    try:
        with open(filename, "rb") as file:
            data = file.read(_LARGEST + 1)
        return source_from(text_of(data, filename) if is_notebook(filename) else data, filename)
    except (OSError, SourceError):
        return None


def _archived(filename: str) -> Source | None:
    """A member of a zip archive, named as zipimport names it: archive, separator, path in it."""
    archive, inside = filename, ""
    while True:
        archive, name = os.path.split(archive)
        if not name:
            return None
        inside = f"{name}/{inside}" if inside else name
        if os.path.isfile(archive):
            status = file_status(archive)
            return _member(archive, inside, filename, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=64)
def _member(archive: str, inside: str, filename: str, mtime: int, size: int) -> Source | None:
    """One member of one state of an archive."""
    import zipfile  # seldom needed

    try:
        with zipfile.ZipFile(archive) as held, held.open(inside) as file:
            data = file.read(_LARGEST + 1)
        return source_from(data, filename) if len(data) <= _LARGEST else None
    except (OSError, KeyError, ValueError, RuntimeError, EOFError, SourceError):
        return None
    except (zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, NotImplementedError):
        return None


def _cached_lines(filename: str, code: Code | None = None) -> Source | None:
    lines = _entered_lines(filename, code)
    entry = linecache.cache.get(filename)
    if lines:
        pass
    elif entry is not None and len(entry) == 4:  # a one-element entry is a loader not yet asked
        lines = entry[2]
    elif filename.startswith("<doctest "):
        lines = linecache.getlines(filename)  # doctest replaces this function while it runs
    else:
        return None
    text = "".join(line for line in lines if type(line) is str)
    if not text:
        return None
    return Source(filename, split_lines(text), _digest(text.encode("utf-8", "surrogatepass")))


def is_entered(filename: str) -> bool:
    """True if the name is of a text that was entered or generated, not of a file."""
    entry = linecache.cache.get(filename)
    return filename.startswith("<") or (
        entry is not None and len(entry) == 4 and entry[1] is None  # no time of a file
    )


def _entered_lines(filename: str, code: Code | None) -> list[str]:
    """Lines that a prompt left for one code object; CPython 3.14 keeps them apart."""
    kept: object = getattr(linecache, "_interactive_cache", None)
    if code is None or type(kept) is not dict:
        return []
    entry = kept.get((filename, code.qualname, code.firstlineno))
    return list(entry[2]) if type(entry) is tuple and len(entry) == 4 else []


def source_from(text: str | bytes, filename: str) -> Source:
    """Source text, or the bytes of a file, as `Source`.

    Raises:
        SourceError: The bytes do not decode by the declared encoding, or the text cannot be
            encoded as UTF-8.
    """
    if isinstance(text, bytes):
        return Source(filename, split_lines(decode_text(text, filename)), _digest(text))
    try:
        data = text.encode()
    except UnicodeEncodeError as error:
        raise SourceError(
            "the source holds a surrogate",
            file=filename,
            line=text.count("\n", 0, error.start) + 1,
            found=f"U+{ord(text[error.start]):04X}",
        ) from error
    _refuse_null(data, filename)
    return Source(filename, split_lines(text), _digest(data))


def is_plain(data: bytes) -> bool:
    """True for the bytes of a file that `source_from` certainly decodes if they compile."""
    return data.isascii() and b"coding" not in b"\n".join(data.split(b"\n", 2)[:2])


def _refuse_null(data: bytes, filename: str) -> None:
    null = data.find(b"\0")
    if null >= 0:
        line = data.count(b"\n", 0, null) + 1
        raise SourceError("the source holds a null byte", file=filename, line=line)


def decode_text(data: bytes, filename: str) -> str:
    """Source bytes -> text, by byte order mark or coding declaration, UTF-8 without.

    Only Python's own encodings are used. Packages can register more, and theirs would run code on
    text that may be hostile.

    Raises:
        SourceError: The declaration does not name a text encoding of Python's own, or the bytes
            do not decode by it.
    """
    _refuse_null(data, filename)
    try:
        _refuse_foreign(data)
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise _undecodable(data, filename, error) from error
    except (SyntaxError, LookupError) as error:
        try:
            data.decode("utf-8")
        except UnicodeDecodeError as cause:
            if not re.match(rb"[^\n]*\n?[^\n]*coding[:=]", data):
                raise _undecodable(data, filename, cause) from error
        what = error.msg if isinstance(error, SyntaxError) else str(error)
        raise SourceError(f"the source cannot be decoded: {what}", file=filename) from error


_COOKIE = re.compile(rb"coding[:=][ \t]*([-\w.]+)", re.ASCII)


def _refuse_foreign(data: bytes) -> None:
    """Refuse whatever may be the declaration of an encoding that is not Python's own.

    `codecs.lookup` asks all who registered; the search function of `encodings` asks only itself.

    Raises:
        LookupError: Python has no such encoding.
    """
    lines = data.replace(b"\r", b"\n").split(b"\n", 4)[:4]  # "\r\n" makes two line ends here
    for line in lines:
        found = _COOKIE.search(line) if b"#" in line else None
        if found is None:
            continue
        name = found[1].decode("ascii").lower().replace("_", "-")
        if encodings.search_function(encodings.normalize_encoding(name)) is None:
            raise LookupError(f"unknown encoding: {found[1].decode('ascii')}")


def _undecodable(data: bytes, filename: str, error: UnicodeDecodeError) -> SourceError:
    return SourceError(
        f"the source is not {error.encoding}",
        file=filename,
        line=data.count(b"\n", 0, error.start) + 1,
        found=f"byte {data[error.start]:#04x}",
        hint="Declare its encoding in the first line: # -*- coding: NAME -*-",
    )


def split_lines(text: str) -> tuple[str, ...]:
    """Lines as the compiler counts them, without line ends: form feeds do not end a line."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if lines[-1] == "":
        lines.pop()
    return tuple(lines)


def _digest(data: bytes) -> str:
    return sha256(data).hexdigest()


def annotations_in(source: Source, code: Code) -> Iterator[tuple[str, str]]:
    """Annotations of the function that starts at the code's first line, as written.

    From CPython 3.14 a function's annotations exist only when somebody evaluates them. The text
    of the source gives them without running anything.
    """
    node = _definitions(source).get((code.name, code.firstlineno))
    if node is None:
        return
    arguments = node.args
    named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    for argument in [*named, arguments.vararg, arguments.kwarg]:
        if argument is not None and argument.annotation is not None:
            yield argument.arg, ast.unparse(argument.annotation)
    if node.returns is not None:
        yield "return", ast.unparse(node.returns)


class WrittenDefaults(NamedTuple):
    """Defaults as the source writes them; nothing is evaluated."""

    positional: tuple[str, ...]  # of the last positional parameters
    keyword_only: tuple[tuple[str, str], ...]  # parameter and text, where there is one


def defaults_in(source: Source, code: Code) -> WrittenDefaults | None:
    """Defaults of the `def` at the code's first line; None if it is not found there."""
    node = _definitions(source).get((code.name, code.firstlineno))
    if node is None:
        return None
    arguments = node.args
    names = code.varnames[code.argcount :]  # mangled where the class is private about them
    named = zip(names, arguments.kw_defaults, strict=False)
    return WrittenDefaults(
        tuple(ast.unparse(default) for default in arguments.defaults),
        tuple((name, ast.unparse(default)) for name, default in named if default is not None),
    )


_Definition = ast.FunctionDef | ast.AsyncFunctionDef


@lru_cache(maxsize=16)
def _definitions(source: Source) -> dict[tuple[str, int], _Definition]:
    """Function definitions by name and first line, a decorator's if there is one."""
    try:
        tree = parse("\n".join(source.lines))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return {}
    found: dict[tuple[str, int], _Definition] = {}
    for node in _statements(tree):
        if isinstance(node, _Definition):
            first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
            found[node.name, first] = node
    return found


def _statements(tree: ast.Module) -> Iterator[ast.AST]:
    """Every statement. Expressions, which are most of a tree, hold none and are passed over."""
    pending: list[ast.AST] = list(tree.body)
    while pending:
        node = pending.pop()
        yield node
        for field in ("body", "orelse", "finalbody", "handlers", "cases"):
            pending += getattr(node, field, ())
