"""A code object -> a .pyc file of its version, written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from struct import pack

from coscope.codec.marshal_forms import forms
from coscope.codec.marshalling import dump
from coscope.codec.pyc import SIZE
from coscope.codec.siphash import siphash
from coscope.errors import PatchError, hidden_for
from coscope.model import Code
from coscope.opcodes import table

__tracebackhide__ = hidden_for

_ROUNDS = {"siphash-2-4": (2, 4), "siphash-1-3": (1, 3)}  # per word, and at the end
_UNCHECKED_HASH = 0b01  # PEP 552: an import takes the file without looking at the source


def to_pyc(code: Code, *, like: bytes | None = None, source: bytes = b"") -> bytes:
    """The bytes of a .pyc file.

    Args:
        code: A module's code.
        like: The file that the code was read from. The new one is recognised as that was, by the
            same time and size or the same hash, and says the same in the same bytes.
        source: Without such a file: the text that was compiled. Its hash is noted, unchecked: an
            import takes the file whatever becomes of the source.

    Raises:
        PatchError: A constant is a live object.
    """
    if like is None:
        return _header(code, source) + dump(code, code.version)
    form = forms(like, table(code.version), start=SIZE)
    return like[:SIZE] + dump(code, code.version, like=form)


def _header(code: Code, source: bytes) -> bytes:
    """A header that names the version's last magic number, and the source by its hash."""
    rules = table(code.version)
    magic = rules.release_magics[-1] | int.from_bytes(b"\r\n", "little") << 16
    rounds = _ROUNDS[rules.source_hash]
    return pack("<IIQ", magic, _UNCHECKED_HASH, siphash(source, magic, *rounds))


def write_atomically(path: str | os.PathLike[str], data: bytes, *, force: bool = False) -> None:
    """Write a file so that nobody ever finds a part of it.

    Args:
        path: The file.
        data: All of it.
        force: Replace a file that is there.

    Raises:
        PatchError: There is one, or the folder cannot be written.
    """
    target = Path(path)
    temporary = ""
    try:
        mode = target.stat().st_mode & 0o777 if target.exists() else 0o666 & ~_umask()
        handle, temporary = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, mode)
        _move(temporary, target, force=force)
    except ValueError as problem:  # a NUL or a lone surrogate
        raise PatchError("no file can have this name", found=ascii(os.fspath(path))) from problem
    except OSError as problem:
        if temporary and os.path.exists(temporary):
            os.unlink(temporary)
        if isinstance(problem, FileExistsError):
            raise exists(path) from None
        raise PatchError(
            f"cannot write the file: {problem.strerror or problem}", file=os.fspath(path)
        ) from problem


def _move(temporary: str, target: Path, *, force: bool) -> None:
    """Give a file its name; without `force` only if nothing has it.

    Raises:
        OSError: Something has, or the folder cannot be written.
    """
    if force:
        os.replace(temporary, target)
    elif hasattr(os, "link"):
        os.link(temporary, target)  # fails if somebody else was faster
        os.unlink(temporary)
    else:
        # Emscripten has no hard links, and no other process that could be faster.
        if os.path.lexists(target):
            raise FileExistsError(target)
        os.rename(temporary, target)


def exists(path: str | os.PathLike[str]) -> PatchError:
    """What to say of a file that is there already."""
    return PatchError("the file exists", file=os.fspath(path), hint="Say --force to replace it.")


def _umask() -> int:
    """The process's umask, which can only be read by setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
