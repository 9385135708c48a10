"""A file, source text or a module -> `Function` of its module code. Nothing of it is executed."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from coscope.errors import NoCodeObject, TargetError
from coscope.model import Function
from coscope.readers.attributes import member
from coscope.readers.from_object import module_file
from coscope.readers.from_source import from_source, read_bytes, refuse_binary, static_function
from coscope.readers.naming import COMPILED, NATIVE, SOURCE
from coscope.readers.sources import source_from


class Snippet(NamedTuple):
    """Source text that is a target by itself: of standard input, or of `-c`."""

    text: str | bytes
    name: str  # "<stdin>": shown where a file's name would be
    part: str = ""  # qualified name inside of it


def standard_input() -> Snippet:
    """All that is on standard input.

    Raises:
        TargetError: It is closed.
    """
    try:
        return Snippet(sys.stdin.buffer.read(), "<stdin>")
    except (AttributeError, OSError, ValueError) as error:
        raise TargetError("standard input cannot be read", found=str(error)) from error


def read_file(
    path: str,
    *,
    python: str | None = None,
    optimize: int = 0,
    code_version: str | None = None,
) -> Function:
    """The module code of a source file or a .pyc.

    Args:
        path: The file.
        python: Compile it by another interpreter: "3.12", "3.12.1" or a path.
        optimize: 0, 1 or 2, as `compile` takes it; of source files only.
        code_version: The file is a code object without a header, of this CPython: "3.12".

    Raises:
        TargetError, SourceError, InterpreterError, PycError: See `targets.read`.
    """
    suffix = os.path.splitext(path)[1].lower()
    if code_version is not None:
        if python is not None or optimize:
            raise not_a_source(path, "a code object")
        from coscope.readers.from_pyc import from_code

        return from_code(read_bytes(path), code_version, file=path)
    if suffix in NATIVE:
        raise NoCodeObject("an extension module has no code objects", file=path)
    if suffix in COMPILED:
        if python is not None:
            raise not_a_source(path, "compiled already")
        if optimize:
            raise TargetError(
                f"{path} cannot be compiled with --optimize {optimize}", expected="a source file"
            )
        from coscope.readers.from_pyc import from_pyc

        return from_pyc(Path(path))
    return read_text(read_bytes(path), path, python=python, optimize=optimize)


def is_archived(path: str) -> bool:
    """True for an archive or a program whose members can be targets; not for Python's own files."""
    if path.lower().endswith((*SOURCE, *COMPILED)) or not os.path.isfile(path):
        return False
    from coscope.readers.archives import holds_archive

    return holds_archive(path)


def read_member(
    data: bytes,
    label: str,
    *,
    python: str | None = None,
    optimize: int = 0,
    code_version: str | None = None,
) -> Function:
    """The module code of a member of an archive.

    Args:
        data: Its bytes.
        label: archive::member.
        python: As for `read_file`.
        optimize: As for `read_file`.
        code_version: As for `read_file`.

    Raises:
        TargetError, SourceError, InterpreterError, PycError: See `targets.read`.
    """
    suffix = os.path.splitext(label)[1].lower()
    if suffix in NATIVE:
        raise NoCodeObject("an extension module has no code objects", file=label)
    if suffix in COMPILED or code_version is not None:
        if python is not None or optimize:
            raise not_a_source(label, "compiled already")
        from coscope.readers.from_pyc import from_code, from_pyc

        if code_version is not None:
            return from_code(data, code_version, file=label)
        return from_pyc(data, file=label)
    refuse_binary(data, label)
    return read_text(data, label, python=python, optimize=optimize)


def read_text(
    text: str | bytes, name: str, *, python: str | None = None, optimize: int = 0
) -> Function:
    """The module code of source text.

    Args:
        text: Text, or the bytes of a source file.
        name: Of its file, or what is shown in its place.
        python: As for `read_file`.
        optimize: As for `read_file`.

    Raises:
        SourceError, InterpreterError: See `targets.read`.
    """
    if python is None:
        return from_source(text, name, optimize=optimize)
    from coscope.readers import from_interpreter  # only here, because subprocess loads slowly

    source = source_from(text, name)
    data = text.encode() if isinstance(text, str) else text
    interpreter = from_interpreter.find(python)
    code = from_interpreter.compile_source(interpreter, data, name, optimize=optimize)
    return static_function(code, "interpreter", source)


def read_module(module: ModuleType) -> Function:
    """The code of a live module, from its file.

    Raises:
        NoCodeObject: It was not loaded from a file.
        TargetError, SourceError, PycError: Its file cannot be read.
    """
    file = module_file(module)
    text = None if os.path.exists(file) else _archived(module)
    return read_file(file) if text is None else read_text(text, file)


def _archived(module: ModuleType) -> str | None:
    """The source of a module that was imported from a zip archive."""
    namespace = member(ModuleType, "__dict__", module)
    loader: Any = dict.get(namespace, "__loader__")
    name = dict.get(namespace, "__name__")
    zipimport = sys.modules.get("zipimport")
    if zipimport is None or type(loader) is not zipimport.zipimporter or type(name) is not str:
        return None
    try:
        source: str | None = loader.get_source(name)
    except (OSError, ImportError, UnicodeDecodeError):
        return None
    return source


def not_a_source(target: str, found: str) -> TargetError:
    """The error for what another interpreter cannot compile."""
    return TargetError(
        f"{target} cannot be compiled by another interpreter",
        expected="a source file",
        found=found,
    )


def is_source_file(path: str) -> bool:
    """True for a file whose name ends as that of Python source does."""
    return path.lower().endswith(SOURCE)
