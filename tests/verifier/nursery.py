"""Forks a child for each code object that comes in, and says how the child ended.

A process of its own, with one thread and the standard library alone, so that forks are safe and
cheap. Each request is marshalled: the code object's own marshalled bytes, and arguments.
"""

from __future__ import annotations

import gc
import marshal
import os
import signal
import sys
import time
from contextlib import suppress
from types import CellType, FunctionType
from typing import Any, NoReturn

MEMORY = 2 << 30  # bytes of address space
SECONDS = 2  # of CPU time
ROUNDS = 30  # calls, so that damage shows and the interpreter specialises


def main() -> None:
    while True:
        try:
            payload, arguments, traced = marshal.load(sys.stdin.buffer)
        except EOFError:
            return
        print(_ending(payload, arguments, traced), flush=True)


def _ending(payload: bytes, arguments: tuple[Any, ...], traced: bool) -> str:
    pid = os.fork()
    if pid == 0:
        _child(payload, arguments, traced)
    until = time.monotonic() + 10
    while True:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            break
        if time.monotonic() > until:
            os.kill(pid, signal.SIGKILL)
        time.sleep(0.0005)
    if os.WIFEXITED(status):
        return "fine" if os.WEXITSTATUS(status) == 77 else "exit"
    number = os.WTERMSIG(status)
    return "hangs" if number in (signal.SIGXCPU, signal.SIGKILL) else signal.Signals(number).name


def _child(payload: bytes, arguments: tuple[Any, ...], traced: bool) -> NoReturn:
    import resource  # not inside Pyodide, where this file is only collected

    try:
        null = os.open(os.devnull, os.O_RDWR)
        for descriptor in range(3):
            os.dup2(null, descriptor)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
        _run(payload, arguments, traced)
    except BaseException:
        os._exit(77)  # an exception of Python's harms nobody
    os._exit(77)


def _run(payload: bytes, arguments: tuple[Any, ...], traced: bool) -> None:
    code = marshal.loads(payload)
    gc.freeze()
    cells = tuple(CellType(index) for index in range(len(code.co_freevars)))
    names = {"__builtins__": {"__build_class__": __build_class__, "__name__": "m"}}
    if traced:
        sys.settrace(_trace)
    for _ in range(ROUNDS):
        with suppress(Exception):
            made = FunctionType(code, names, "built", None, cells or None)
            result = made(*arguments[: code.co_argcount])
            if hasattr(result, "send"):
                for value in (None, 1, 2):
                    result.send(value)
            _use(result)


def _trace(frame: Any, event: str, argument: Any) -> Any:
    frame.f_trace_opcodes = True
    frame.f_locals  # noqa: B018
    return _trace


def _use(value: Any) -> None:
    """Make damage show that hides in a value."""
    if type(value) is FunctionType:
        value.__defaults__, value.__kwdefaults__, value.__annotations__  # noqa: B018
        for arguments in ((), (1,)):
            with suppress(Exception):
                value(*arguments)
            with suppress(Exception):
                value(*arguments, key=1)
    elif type(value) in (list, tuple):
        value == [*value, 1], [type(item) for item in value]
    gc.collect()
    repr(value)


if __name__ == "__main__":
    main()
