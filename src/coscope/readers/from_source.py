"""Python source -> `Function` of its module code. The source is compiled, never executed."""

from __future__ import annotations

import ast
import os
import stat
import warnings
from os import stat as file_status
from pathlib import Path
from types import CodeType

from coscope.errors import SourceError, TargetError, TargetNotFound
from coscope.model import Code, Function, Source
from coscope.readers.docstrings import docstring_of
from coscope.readers.from_function import from_code_object
from coscope.readers.notebooks import is_notebook, text_of
from coscope.readers.sources import decode_text, is_plain, source_from


def from_file(path: str | os.PathLike[str], *, optimize: int = 0) -> Function:
    """Compile a source file by the running interpreter.

    Args:
        path: The file; its encoding is read as PEP 263 says.
        optimize: 0, 1 (without asserts) or 2 (without docstrings too), as `compile` takes it.

    Raises:
        TargetNotFound: There is no such file.
        TargetError: It cannot be read.
        SourceError: It does not decode or compile.
    """
    return from_source(read_bytes(path), os.fspath(path), optimize=optimize)


def from_source(text: str | bytes, filename: str = "<source>", *, optimize: int = 0) -> Function:
    """Compile source text by the running interpreter.

    Raises:
        SourceError: It does not decode or compile.

    >>> [code.qualname for code in from_source("def f(): pass").code.walk()]
    ['<module>', 'f']
    """
    source = source_from(text, filename)
    return static_function(compile_source(text, filename, optimize=optimize), "source", source)


def compile_source(text: str | bytes, filename: str, *, optimize: int = 0) -> Code:
    """Compile source text, or the bytes of a source file, without running any of it.

    Raises:
        SourceError: With line, column and text of the fault, where the compiler reports them.
    """
    return from_code_object(compile_live(text, filename, optimize=optimize))


def compile_live(text: str | bytes, filename: str, *, optimize: int = 0) -> CodeType:
    """The same as a live code object, for what looks at much of it without a copy.

    Raises:
        SourceError: With line, column and text of the fault, where the compiler reports them.
    """
    if isinstance(text, bytes) and not is_plain(text):
        # The compiler would look the declared encoding up anew, by rules that differ in details.
        text = decode_text(text, filename)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT if is_notebook(filename) else 0
            co: CodeType = compile(text, filename, "exec", flags, True, optimize)
    except SyntaxError as error:
        raise syntax_fault(filename, error.msg, error.lineno, error.offset, error.text) from error
    except (RecursionError, MemoryError) as error:
        raise SourceError(
            "the source is nested too deeply for the compiler",
            file=filename,
            found=type(error).__name__,
        ) from error
    except (ValueError, OverflowError) as error:
        raise SourceError(f"the source does not compile: {error}", file=filename) from error
    return co


def syntax_fault(
    filename: str, message: str, line: int | None, column: int | None, text: str | None
) -> SourceError:
    """A compiler's complaint with the place of the fault.

    Args:
        filename: The file.
        message: What the compiler said.
        line: From 1; None or 0 if it is not known.
        column: In characters from 1; None or 0 if it is not known.
        text: The line.
    """
    error = SourceError(f"syntax error: {message}", file=filename, line=line or None)
    error.text = None if text is None else text.rstrip("\r\n")
    error.column = column or None
    return error


def static_function(
    code: Code, origin: str, source: Source | None, warnings: tuple[str, ...] = ()
) -> Function:
    """A `Function` of a code object alone: nothing around it is known."""
    doc = docstring_of(code)
    text = None if doc is None else code.consts[doc]
    return Function(
        code=code,
        name=code.name,
        qualname=code.qualname,
        module=None,
        origin=origin,
        live=False,
        doc=text if type(text) is str else None,
        source=source,
        warnings=warnings,
    )


_OPEN_ALREADY = ("/dev/stdin", "/dev/fd/", "/proc/self/fd/")


def _refuse_waiting(path: str) -> None:
    """Refuse pipes and devices, which may give no end; what the shell has opened is meant."""
    mode = file_status(path).st_mode
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode) and not path.startswith(_OPEN_ALREADY):
        raise TargetError("this is no regular file", file=path)


# How files begin that are neither source nor bytecode.
_BINARY = (
    (b"PK\x03\x04", "a zip archive"),
    (b"PK\x05\x06", "an empty zip archive"),
    (b"\x7fELF", "a program or library (ELF)"),
    (b"\xcf\xfa\xed\xfe", "a program or library (Mach-O)"),
    (b"\xca\xfe\xba\xbe", "a program or library (Mach-O)"),
    (b"\x1f\x8b\x08", "compressed by gzip"),
    (b"BZh", "compressed by bzip2"),
    (b"\xfd7zXZ\0", "compressed by xz"),
    (b"\0asm", "a WebAssembly module"),
)
_ARCHIVES = {".whl": "a wheel", ".egg": "an egg", ".pyz": "a zip application"}
_MEMBER = "Name a member of it: {}::pkg/mod.py. coscope trust looks at all of them."


def _binary_kind(data: bytes) -> str | None:
    """What kind of binary file begins so; None if none is known."""
    if data.startswith(b"MZ") and b"\0" in data[:64]:
        return "a program or library (Windows)"
    if data.startswith(b"#!") and b"PK\x05\x06" in data[-65_557:]:
        return "a zip application"
    return next((what for start, what in _BINARY if data.startswith(start)), None)


def refuse_binary(data: bytes, path: str) -> None:
    """Name what is neither Python source nor a .pyc by what it is."""
    what = _binary_kind(data)
    if what is None:
        return
    if "zip" in what:
        what = _ARCHIVES.get(os.path.splitext(path)[1].lower(), what)
    packed = "program" not in what and "module" not in what
    raise TargetError(
        f"this is {what}, and not Python source or a .pyc file",
        file=path,
        hint=_MEMBER.format(os.path.basename(path)) if packed else None,
    )


def read_bytes(path: str | os.PathLike[str]) -> bytes:
    """The bytes of a regular file; of a notebook those of its Python text.

    Raises:
        SourceError: It is a notebook that cannot be read.
        TargetNotFound: There is no such file, or it is a directory, or a link that leads nowhere.
        TargetError: It cannot be read, is a pipe or a device, or an archive or a program.
    """
    try:
        _refuse_waiting(os.fspath(path))
        data = Path(path).read_bytes()
        refuse_binary(data, os.fspath(path))
        return text_of(data, os.fspath(path)) if is_notebook(os.fspath(path)) else data
    except FileNotFoundError as error:
        if os.path.islink(path):
            raise TargetNotFound(
                "this link leads nowhere", file=os.fspath(path), found=os.readlink(path)
            ) from error
        raise TargetNotFound("there is no such file", file=os.fspath(path)) from error
    except IsADirectoryError as error:
        raise TargetNotFound(
            "this is a directory", file=os.fspath(path), hint="Give a file in it."
        ) from error
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise TargetError(f"cannot read the file: {reason}", file=os.fspath(path)) from error
