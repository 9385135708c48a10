"""Write to standard output and standard error, whatever their encoding and state."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable

from coscope.errors import CoscopeError


def open_streams() -> None:
    """Where the shell has closed standard output or standard error, write to nowhere."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115


def write_text(text: str) -> None:
    """Write text to standard output, whatever its encoding.

    Raises:
        CoscopeError: It cannot be written, as on a full disk.
        BrokenPipeError: The reader has left.
    """
    encoding = sys.stdout.encoding or "ascii"
    try:
        sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding))
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        reader_left()  # what is still buffered, and an error's document, would fail again
        raise CoscopeError(f"cannot write the answer: {error.strerror}") from error


def write_lines(lines: Iterable[str]) -> None:
    """Write lines to standard error, whatever its encoding."""
    for line in lines:
        text = line.encode(sys.stderr.encoding or "ascii", "backslashreplace")
        sys.stderr.write(text.decode(sys.stderr.encoding or "ascii") + "\n")


def reader_left() -> None:
    """The reader has seen enough: what is still buffered must not fail at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
