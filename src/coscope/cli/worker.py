"""A process that works for another coscope: tasks come in by a pipe, answers leave by another.

`processes` starts it, isolated (`-I -S`), and both ends of the pipes belong to coscope alone.
"""

from __future__ import annotations

import os
import pickle
import queue
import signal
import struct
import sys
import threading
import time
from collections.abc import Callable
from typing import IO

_SIZE = struct.Struct("<Q")  # bytes of the message that follows
_PATIENCE = 1  # seconds to end in order once the pipe is closed

_serves = False


def is_worker() -> bool:
    """True in a process that works for another one."""
    return _serves


def send(pipe: IO[bytes], message: object) -> None:
    """Write one message.

    Raises:
        OSError: Nobody reads the pipe any more.
        Exception: The message cannot be pickled; nothing was written.
    """
    data = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
    pipe.write(_SIZE.pack(len(data)))
    pipe.write(data)
    pipe.flush()


def receive(pipe: IO[bytes]) -> object:
    """Read one message.

    Raises:
        EOFError: The pipe was closed.
    """
    (size,) = _SIZE.unpack(_exactly(pipe, _SIZE.size))
    message: object = pickle.loads(_exactly(pipe, size))
    return message


def _exactly(pipe: IO[bytes], size: int) -> bytes:
    data = pipe.read(size)
    if len(data) < size:
        raise EOFError
    return data


def serve() -> None:
    """Do tasks until nobody sends any more. The first message is the function that does them.

    When the sender is gone, even if it was killed, the process ends in the midst of a task.
    """
    global _serves
    _serves = True
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the process that started this one handles it
    given = sys.stdin.buffer
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what anything prints must not get between the answers
    tasks: queue.SimpleQueue[object] = queue.SimpleQueue()
    ended = object()

    def read() -> None:
        try:
            while True:
                tasks.put(receive(given))
        except (EOFError, OSError):
            tasks.put(ended)
            time.sleep(_PATIENCE)
        finally:  # also where a message cannot be understood
            os._exit(1)

    threading.Thread(target=read, daemon=True).start()
    do = tasks.get()
    assert callable(do)
    while (task := tasks.get()) is not ended:
        _answer(answers, do, task)


def _answer(answers: IO[bytes], do: Callable[[object], object], task: object) -> None:
    """Do one task, and send its result, or what it raised."""
    try:
        message = (True, do(task))
    except Exception as error:
        message = (False, error)
    try:
        send(answers, message)
    except BrokenPipeError:
        os._exit(1)
    except Exception as error:  # it cannot be pickled
        send(answers, (False, RuntimeError(f"{type(error).__name__}: {error}")))
