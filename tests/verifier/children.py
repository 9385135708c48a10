"""Run a code object where it may kill its process: in a forked child under limits."""

from __future__ import annotations

import marshal
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

from coscope.model import Code
from mutation.live import marshalled

HANGS = "hangs"
FINE = "fine"
NURSERY = Path(__file__).with_name("nursery.py")


@cache
def _nursery() -> subprocess.Popen[bytes]:
    command = [sys.executable, "-I", "-S", str(NURSERY)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def ending(code: Code, *, arguments: tuple[Any, ...] = (1, 2), traced: bool = False) -> str:
    """How a child ends that builds the code object, calls it, and uses what it gives.

    Args:
        code: Of this interpreter's version.
        arguments: Plain constants; as many are given as it takes.
        traced: With a trace function that looks at every opcode and at the locals.

    Returns:
        The name of the signal that killed it, `HANGS`, `FINE`, or "exit": it left by itself.
    """
    return ending_of(marshalled(code), arguments, traced)


def ending_of(payload: bytes, arguments: tuple[Any, ...] = (), traced: bool = False) -> str:
    """The same for marshalled bytes."""
    process = _nursery()
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(marshal.dumps((payload, arguments, traced)))
    process.stdin.flush()
    return process.stdout.readline().decode().strip()
