"""A .pyc file of any known CPython -> `Function` of its module code. Nothing of it is run."""

from __future__ import annotations

import importlib.util
import os
import re
import stat
from pathlib import Path

from coscope.codec.limits import DEFAULT, Limits
from coscope.codec.pyc import Header, read_header
from coscope.codec.siphash import has_hash
from coscope.codec.unmarshal import read
from coscope.errors import MarshalError, SourceError
from coscope.model import Code, Collection, Function, Source
from coscope.opcodes import table
from coscope.readers.comparing import Verdict, verdict_on, verdict_on_another
from coscope.readers.from_function import HOST_VERSION, from_code_object
from coscope.readers.from_source import read_bytes, static_function
from coscope.readers.sources import source_from

_LARGEST_SOURCE = 32 * 2**20  # bytes


def from_pyc(
    source: str | os.PathLike[str] | bytes,
    *,
    file: str | None = None,
    limits: Limits = DEFAULT,
) -> Function:
    """Read a .pyc file of CPython 3.8 to 3.15, which nobody need vouch for.

    Args:
        source: The file, or its bytes.
        file: Name for errors if `source` is bytes.
        limits: What the file may ask for.

    Returns:
        The module code, `live` False. Its source is attached if it is where the code object or
        the folder says, matches the header and compiles to this code. `warnings` says what is
        uncertain. The release ("3.13.1") is not known from a .pyc.

    Raises:
        TargetError: The file cannot be read.
        UnknownMagic: No known CPython writes its magic number.
        PycError: It is not a .pyc file, damaged, or above a limit.
    """
    if isinstance(source, bytes):
        data, path = source, None
    else:
        path, file = Path(source), os.fspath(source)
        limits.check_size(path.stat().st_size if path.is_file() else 0, file)
        data = read_bytes(source)
    header = read_header(data, file)
    code, stop = read(data, table(header.version), file=file, start=header.payload, limits=limits)
    if not isinstance(code, Code):
        raise _no_code(code, file, header.payload)
    warnings = list(header.warnings)
    if stop < len(data):
        warnings.append(f"{len(data) - stop} bytes after the code object, at byte {stop}, unread")
    text = _source(header, code, path, warnings)
    return static_function(code, "pyc", text, tuple(warnings))


def from_code(
    data: bytes, version: str, *, file: str | None = None, limits: Limits = DEFAULT
) -> Function:
    """Read a marshalled code object that has no header, as PyInstaller and zipapps leave them.

    Args:
        data: What `marshal.dumps` of that version made.
        version: Of CPython, "3.12": the bytes do not say.
        file: Name for errors.
        limits: What the bytes may ask for.

    Raises:
        UnknownVersion: There is no opcode table for that version.
        PycError: It is not a code object of that version, damaged, or above a limit.
    """
    limits.check_size(len(data), file)
    code, stop = read(data, table(version), file=file, start=0, limits=limits)
    if not isinstance(code, Code):
        raise _no_code(code, file, 0)
    warnings = [f"it has no header: read as code of CPython {version}, as asked"]
    if stop < len(data):
        warnings.append(f"{len(data) - stop} bytes after the code object, at byte {stop}, unread")
    return static_function(code, "pyc", None, tuple(warnings))


def _no_code(found: object, file: str | None, offset: int) -> MarshalError:
    return MarshalError(
        "the payload is no code object",
        file=file,
        offset=offset,
        expected="code",
        found=found.kind if isinstance(found, Collection) else type(found).__name__,
    )


def _source(header: Header, code: Code, path: Path | None, warnings: list[str]) -> Source | None:
    """The source that the header recognises; a warning for each file that it does not."""
    for candidate in _candidates(code.filename, path):
        try:
            status = os.stat(candidate)
            if not stat.S_ISREG(status.st_mode) or status.st_size > _LARGEST_SOURCE:
                continue
            with open(candidate, "rb") as file:
                # No more than the stated size: some of /proc waits for ever at byte 0.
                data = file.read(status.st_size)
        except (OSError, ValueError):
            continue
        if not _is_of(header, data, int(status.st_mtime)):
            differ = "its hash differs" if header.is_hash_based else "time and size differ"
            warnings.append(f"{candidate} is not the source: {differ} from the header")
            continue
        try:
            source = source_from(data, candidate)
        except SourceError as error:
            warnings.append(str(error))
            continue
        verdict = _verdict(header.version, code, source, path)
        if verdict.warning is not None:
            warnings.append(f"{verdict.warning}: {candidate}")
        if verdict.fits:
            return source
    return None


def _verdict(version: str, code: Code, source: Source, path: Path | None) -> Verdict:
    """A header can be forged: whether the source compiles to this very code."""
    if version != HOST_VERSION:
        return verdict_on_another(code, source, from_code_object)
    named = re.search(r"\.opt-([12])\.pyc$", "" if path is None else path.name)
    level = int(named[1]) if named else 0
    levels = sorted((0, 1, 2), key=lambda each: each != level)
    return verdict_on(code, source, from_code_object, levels=levels)


def _candidates(filename: str, path: Path | None) -> list[str]:
    """Where the source may be: by the layout of folders, then by `co_filename`."""
    found = []
    if path is not None:
        try:
            found.append(importlib.util.source_from_cache(os.fspath(path)))
        except ValueError:
            found.append(os.fspath(path.with_suffix(".py")))  # the .pyc is beside its source
    # The file names itself a path: no network share is asked for it.
    if filename not in found and not filename.startswith(("\\", "//")):
        found.append(filename)
    return found


def _is_of(header: Header, source: bytes, mtime: int) -> bool:
    if header.source_hash is not None:
        return has_hash(source, header.source_hash, header.magic)
    mask = 0xFFFFFFFF
    return (header.mtime, header.source_size) == (mtime & mask, len(source) & mask)
