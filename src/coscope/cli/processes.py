"""Work over several processes: results in order, memory bounded, ended at once by Ctrl-C."""

from __future__ import annotations

import os
import signal
import sys
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any, TypeVar

from coscope.errors import CoscopeError

Task = TypeVar("Task")
Result = TypeVar("Result")

_AHEAD = 3  # tasks for each process that are handed out before their turn


def cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def in_order(
    do: Callable[[Task], Result],
    tasks: Sequence[Task],
    jobs: int,
    *,
    stays: Callable[[Task], bool] = lambda task: False,
) -> Generator[Result, None, None]:
    """Do tasks, and give the results in the order of the tasks.

    Args:
        do: What is done with a task. With several processes a function of a module, and what it
            takes and gives must be picklable.
        tasks: All tasks.
        jobs: Processes; with one, or one task, everything is done here.
        stays: True of a task that must be done in this process.

    Raises:
        CoscopeError: Processes cannot be started here, or one of them died.
    """
    if jobs < 2 or len(tasks) < 2:
        yield from map(do, tasks)
        return
    try:
        from concurrent.futures.process import BrokenProcessPool
    except ImportError as error:  # Emscripten
        raise CoscopeError("this platform starts no processes", hint="Leave -j out.") from error
    with _pool(min(jobs, len(tasks))) as pool:
        waiting: deque[Future[Result] | Task] = deque()
        at = 0
        try:
            while at < len(tasks) or waiting:
                while at < len(tasks) and len(waiting) < jobs * _AHEAD:
                    task = tasks[at]
                    at += 1
                    waiting.append(task if stays(task) else pool(do, task))
                first = waiting.popleft()
                yield first.result() if isinstance(first, Future) else do(first)
        except BrokenProcessPool as error:
            raise CoscopeError(
                "a process of -j was ended from outside, or crashed",
                hint="With -j 1 it can be seen at which target.",
            ) from error


@contextmanager
def _pool(count: int) -> Iterator[Callable[..., Future[Any]]]:
    """A pool, as its `submit`. None of its processes outlives the block, however that ends."""
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor

    # "spawn" everywhere: a fork of a process with threads, such as the progress bar's, may hang.
    context = multiprocessing.get_context("spawn")
    others = set(multiprocessing.active_children())
    executor = ProcessPoolExecutor(count, mp_context=context, initializer=_follow_parent)

    def submit(do: Callable[..., object], task: object) -> Future[object]:
        with _no_interrupt():
            return executor.submit(do, task)

    try:
        yield submit
    except BaseException:
        for process in set(multiprocessing.active_children()) - others:
            process.terminate()
        raise
    finally:
        executor.shutdown(wait=True, cancel_futures=True)


@contextmanager
def _no_interrupt() -> Iterator[None]:
    """Hold SIGINT back; processes started meanwhile never get it, and so print no traceback."""
    if sys.platform == "win32":
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _follow_parent() -> None:
    """In a worker: end when the process that started it is gone, even if it was killed."""
    import multiprocessing
    import threading

    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def wait() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()
