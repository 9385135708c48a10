"""`attach`: asks a running CPython for its state, by a script that reads and leaves nothing.

Source:
    PEP 768, "Safe external debugger interface for CPython"; `sys.remote_exec`.
"""

from __future__ import annotations

import ast
import errno
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from coscope.attachment.answer import attached_of
from coscope.attachment.model import Attached
from coscope.attachment.script import NOTHING, TEXT
from coscope.errors import InputError, InterpreterError
from coscope.readers.from_function import HOST_RELEASE

TIMEOUT = 5.0  # seconds
_MOST = 100  # threads, frames of a thread, locals of a frame
_LARGEST = 256 * 2**20  # bytes of an answer


def attach(pid: int, target: str | None = None, *, timeout: float = TIMEOUT) -> Attached:
    """Look into a running process. It is not changed, and nothing is left in it.

    Args:
        pid: Its number. It runs a CPython of the same minor version as this one.
        target: "module:function" of it, or "--hot" for the functions of its modules.
        timeout: Seconds to wait for the answer.

    Raises:
        InterpreterError: This CPython cannot attach; or the process runs another one, or none; or
            it does not answer in time.
        InputError: There is no such process, or no permission.
    """
    execute = remote_exec()
    check(pid)
    wanted: object = target
    if target is not None and target != "--hot":
        module, colon, path = target.partition(":")
        if not colon or not module or not path:
            raise InputError("a function of the process is named as module:function", found=target)
        wanted = (module, path)
    folder = Path(tempfile.mkdtemp(prefix="coscope-attach-"))
    kept = False
    try:
        script, answer = folder / "script.py", folder / "answer"
        settings = {"answer": str(answer), "wanted": wanted, "most": _MOST}
        script.write_text(TEXT.format(**settings), encoding="utf-8")
        _give_to_owner(pid, folder, script)
        begun = monotonic()
        _execute(execute, pid, script)
        if not _wait(answer, pid, timeout):
            kept = _withdraw(script, folder, pid)
            raise InterpreterError(
                f"process {pid} did not answer in {timeout:g} s",
                found=_why_silent(pid),
                hint="A process answers when its main thread comes to the next instruction"
                " of Python code; --timeout SECONDS waits longer.",
            )
        milliseconds = 1000 * (monotonic() - begun)
        return attached_of(pid, _read(answer), milliseconds)
    finally:
        if not kept:
            shutil.rmtree(folder, ignore_errors=True)


def remote_exec() -> Callable[[int, str], None]:
    """`sys.remote_exec`.

    Raises:
        InterpreterError: This CPython does not have it.
    """
    found: Callable[[int, str], None] | None = getattr(sys, "remote_exec", None)
    if found is None:
        raise InterpreterError(
            "attaching needs sys.remote_exec, which this CPython does not have",
            found=f"CPython {HOST_RELEASE}",
            hint="Run coscope with the CPython that the process runs, if that has it.",
        )
    return found


def check(pid: int) -> None:
    """Refuse what cannot work, before anything is written into the process.

    Raises:
        InputError, InterpreterError: As `attach`.
    """
    if pid == os.getpid():
        raise InputError("this is the process that asks", found=f"process {pid}")
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError) as error:
        raise InputError("there is no such process", found=f"process {pid}") from error
    except PermissionError as error:
        raise _no_permission(pid) from error
    about = Path("/proc", str(pid))
    if not about.exists():
        return  # not Linux: remote_exec says what is wrong
    if _state(pid) == "Z":
        raise InputError("the process has ended, and its parent has not noticed", found=f"{pid}")
    try:
        with open(about / "mem", "rb"):
            maps = (about / "maps").read_text("utf-8", "replace")
    except PermissionError as error:
        raise _no_permission(pid) from error
    except OSError as error:
        raise InputError(
            "the process cannot be read", found=os.strerror(error.errno or 0)
        ) from error
    if "python" not in maps:
        raise InterpreterError("the process does not run CPython", found=_command(pid))
    try:
        other = os.stat(about / "ns" / "mnt").st_ino
        if other != os.stat("/proc/self/ns/mnt").st_ino:
            raise InterpreterError(
                "the process sees other files than this one, as in a container",
                found=f"process {pid}",
                hint="Run coscope inside of the container.",
            )
    except OSError:
        return


def _no_permission(pid: int) -> InputError:
    return InputError(
        "no permission to look into the process",
        found=f"process {pid}",
        hint="Attach as its owner with ptrace allowed (kernel.yama.ptrace_scope = 0), or as root.",
    )


def _execute(execute: Callable[[int, str], None], pid: int, script: Path) -> None:
    """Hand the script over; every refusal in one sentence."""
    try:
        execute(pid, str(script))
    except PermissionError as error:
        raise _no_permission(pid) from error
    except ProcessLookupError as error:
        raise InputError("there is no such process", found=f"process {pid}") from error
    except OSError as error:
        if error.errno in (errno.EPERM, errno.EACCES):
            raise _no_permission(pid) from error
        raise InputError(
            "the process cannot be attached to", found=os.strerror(error.errno or 0)
        ) from error
    except RuntimeError as error:
        raise InterpreterError(
            "the process cannot be attached to",
            found=str(error) or "no CPython of this minor version",
            expected=f"a CPython of the same minor version as {HOST_RELEASE}, its remote debugging"
            " not disabled",
        ) from error


def _give_to_owner(pid: int, *paths: Path) -> None:
    """The files stay private; if root asks, they belong to the owner of the process."""
    try:
        owner = os.stat(f"/proc/{pid}")
    except OSError:
        return
    if hasattr(os, "chown") and owner.st_uid != os.getuid():
        for path in paths:
            os.chown(path, owner.st_uid, owner.st_gid)


def _wait(answer: Path, pid: int, timeout: float) -> bool:
    """Wait for the answer; False if the time is over.

    Raises:
        InterpreterError: The script failed, or the process ended.
    """
    end = monotonic() + timeout
    pause = 0.001
    failed = answer.with_name("answer.failed")
    while monotonic() < end:
        if answer.exists():
            return True
        if failed.exists():
            raise InterpreterError(
                f"process {pid} could not answer", found=failed.read_text("utf-8", "replace")
            )
        if _state(pid) in ("Z", "gone"):
            raise InterpreterError("the process ended before it answered", found=f"process {pid}")
        sleep(pause)
        pause = min(0.02, pause * 1.5)
    return answer.exists()


def _withdraw(script: Path, folder: Path, pid: int) -> bool:
    """Replace a script that was not run yet by one that removes itself; True if it stays."""
    if _state(pid) in ("Z", "gone"):
        return False
    text = NOTHING.format(script=str(script), folder=str(folder))
    fresh = script.with_name("fresh.py")
    fresh.write_text(text, encoding="utf-8")
    _give_to_owner(pid, fresh)
    os.replace(fresh, script)
    return True


def _state(pid: int) -> str:
    """A letter: R runs, S waits, T is stopped, Z has ended; "gone"; "?" where it is not known."""
    try:
        text = Path("/proc", str(pid), "stat").read_text("utf-8", "replace")
    except FileNotFoundError:
        return "gone" if Path("/proc/self/stat").exists() else "?"
    except OSError:
        return "?"
    return text.rpartition(")")[2].split()[0]


def _why_silent(pid: int) -> str:
    words = {
        "R": "its main thread runs C code that does not come back to Python code",
        "S": "its main thread waits: for a lock, a socket, a timer",
        "D": "its main thread waits for a device",
        "T": "it is stopped",
        "t": "another debugger holds it",
    }
    return words.get(_state(pid), "its main thread executes no Python code")


def _command(pid: int) -> str:
    try:
        data = Path("/proc", str(pid), "cmdline").read_bytes()
    except OSError:
        return f"process {pid}"
    return data.replace(b"\0", b" ").decode("utf-8", "replace").strip()[:80] or f"process {pid}"


def _read(answer: Path) -> dict[str, Any]:
    """The answer: literals, which are parsed and never executed."""
    if answer.stat().st_size > _LARGEST:
        raise InterpreterError("the answer is too large", found=f"{answer.stat().st_size:,} bytes")
    try:
        found = ast.literal_eval(answer.read_text("utf-8"))
    except (ValueError, SyntaxError, MemoryError, RecursionError) as error:
        raise InterpreterError("the answer cannot be read", found=type(error).__name__) from error
    if not isinstance(found, dict):
        raise InterpreterError("the answer cannot be read", found=type(found).__name__)
    return found
