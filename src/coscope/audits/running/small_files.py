"""Small files of a user: read as a whole or refused, written as a whole or not at all."""

from __future__ import annotations

import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

from coscope.errors import InputError

_LARGEST = 64 * 2**20  # bytes


def read_text(path: Path, what: str) -> str:
    """The text of a regular file in UTF-8.

    Args:
        path: The file.
        what: What it is, for the error: "the baseline".

    Raises:
        InputError: It cannot be read, is too large to be meant, or is no UTF-8.
    """
    try:
        status = os.stat(path)
        if not stat.S_ISREG(status.st_mode):
            kind = "a directory" if stat.S_ISDIR(status.st_mode) else "no regular file"
            raise InputError(f"cannot read {what}: this is {kind}", file=path)
        if status.st_size > _LARGEST:
            raise InputError(
                f"{what} is too large",
                file=path,
                expected=f"at most {_LARGEST:,} bytes",
                found=f"{status.st_size:,}",
            )
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"cannot read {what}: {error.strerror}", file=path) from error
    except UnicodeDecodeError as error:
        raise InputError(
            f"{what} is not utf-8", file=path, found=f"byte {error.object[error.start]:#04x}"
        ) from error
    except ValueError as error:  # a null byte in the path
        raise InputError(f"cannot read {what}: {error}", file=path) from error


def write_text(path: Path, text: str) -> None:
    """Write a file so that others, and an interrupt, find the old text or the new one.

    Raises:
        OSError: It cannot be written; what was there before is unchanged.
    """
    path = Path(os.path.realpath(path))  # a link goes on leading to the file
    if path.exists() and not path.is_file():
        path.write_text(text, encoding="utf-8")  # a device, or an error
        return
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".new-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
        os.chmod(name, _mode(path))
        os.replace(name, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(name)
        raise


def _mode(path: Path) -> int:
    """The permissions of the file that is there, or those that a new file is given."""
    with suppress(OSError):
        return stat.S_IMODE(path.stat().st_mode)
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask
