"""Work over several processes: results in order, memory bounded, ended at once by Ctrl-C.

The processes are not those of `multiprocessing`: those begin with the current folder on sys.path,
and so run what is audited if it holds a `multiprocessing.py`.
"""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from typing import Generic, TypeVar, cast

from coscope.cli.worker import receive, send
from coscope.errors import CoscopeError
from coscope.readers.compiling import environment

Task = TypeVar("Task")
Result = TypeVar("Result")

_AHEAD = 3  # tasks for each process that are handed out before their turn
_NEEDED = ("coscope", "click", "rich", "pygments", "markdown_it", "mdurl")

_SERVE = "import sys; sys.path += {!r}; from coscope.cli.worker import serve; serve()"


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
        stays: True for a task that must be done in this process.

    Raises:
        CoscopeError: Processes cannot be started here, or one of them died.
    """
    if jobs < 2 or len(tasks) < 2:
        yield from map(do, tasks)
        return
    with _pool(do, min(jobs, len(tasks))) as pool:
        waiting: deque[Future[Result] | Task] = deque()
        at = 0
        while at < len(tasks) or waiting:
            while at < len(tasks) and len(waiting) < jobs * _AHEAD:
                task = tasks[at]
                at += 1
                waiting.append(task if stays(task) else pool.submit(task))
            first = waiting.popleft()
            yield first.result() if isinstance(first, Future) else do(first)


class _Pool(Generic[Task, Result]):
    """Processes, each with a thread that hands it one task at a time."""

    def __init__(self, do: Callable[[Task], Result]) -> None:
        self.workers: list[subprocess.Popen[bytes]] = []
        self._do = do
        self._tasks: queue.SimpleQueue[tuple[Future[Result], Task] | None] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []

    def start(self, count: int) -> None:
        """Start processes.

        Raises:
            CoscopeError: They do not start.
        """
        command = _command()
        try:
            with _no_interrupt():
                for _ in range(count):
                    worker = subprocess.Popen(
                        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment()
                    )
                    self.workers.append(worker)
        except (OSError, ValueError) as error:
            raise CoscopeError(
                f"processes do not start: {error}", hint="Leave -j out, or give -j 1."
            ) from error
        for worker in self.workers:
            thread = threading.Thread(target=self._hand_over, args=(worker,), daemon=True)
            thread.start()
            self._threads.append(thread)

    def submit(self, task: Task) -> Future[Result]:
        """Have a task done when a process is free."""
        future: Future[Result] = Future()
        self._tasks.put((future, task))
        return future

    def end(self) -> None:
        """Let the processes end in order; all results have been taken."""
        for _ in self._threads:
            self._tasks.put(None)
        for thread in self._threads:
            thread.join()

    def kill(self) -> None:
        """End the processes, whatever they do."""
        for worker in self.workers:
            worker.kill()

    def close(self) -> None:
        """Wait for the processes, which have been asked to end or were killed."""
        for worker in self.workers:
            for pipe in (worker.stdin, worker.stdout):
                with suppress(OSError):
                    pipe.close() if pipe is not None else None
            worker.wait()

    def _hand_over(self, worker: subprocess.Popen[bytes]) -> None:
        """In a thread: one process's tasks. A process that died fails all that it is given."""
        given, answers = worker.stdin, worker.stdout
        assert given is not None
        assert answers is not None
        with suppress(OSError):
            send(given, self._do)
        while (item := self._tasks.get()) is not None:
            future, task = item
            try:
                send(given, task)
                done, answer = cast("tuple[bool, object]", receive(answers))
            except (OSError, EOFError, ValueError) as error:
                future.set_exception(_died(error))
                continue
            except Exception as error:  # the task cannot be pickled
                future.set_exception(error)
                continue
            if done:
                future.set_result(cast("Result", answer))
            else:
                future.set_exception(cast("Exception", answer))


def _died(cause: Exception) -> CoscopeError:
    error = CoscopeError(
        "a process of -j was ended from outside, or crashed",
        hint="With -j 1 it can be seen at which target.",
    )
    error.__cause__ = cause
    return error


@contextmanager
def _pool(do: Callable[[Task], Result], count: int) -> Iterator[_Pool[Task, Result]]:
    """A pool. None of its processes outlives the block, however that ends."""
    pool = _Pool(do)
    try:
        pool.start(count)
        yield pool
        pool.end()
    except BaseException:
        pool.kill()
        raise
    finally:
        pool.close()


def _command() -> list[str]:
    """How a worker is started: of the paths of this process it gets those that coscope needs.

    `-I` keeps the current folder and PYTHONPATH away, `-S` every .pth and sitecustomize. What is
    added comes after the standard library, so that nothing in it can shadow a module of that.

    Raises:
        CoscopeError: This platform starts no Python processes.
    """
    if sys.platform == "emscripten" or not sys.executable or hasattr(sys, "frozen"):
        raise CoscopeError("this platform starts no processes", hint="Leave -j out.")
    utf8 = f"utf8={sys.flags.utf8_mode}"
    return [sys.executable, "-I", "-S", "-X", utf8, "-c", _SERVE.format(_roots())]


def _roots() -> list[str]:
    """The folders or archives that hold coscope and the packages with which it draws."""
    found: dict[str, None] = {}
    for name in _NEEDED:
        file = getattr(sys.modules.get(name), "__file__", None)
        if type(file) is str:
            found[os.path.abspath(os.path.dirname(os.path.dirname(file)))] = None
    return list(found)


@contextmanager
def _no_interrupt() -> Iterator[None]:
    """Hold SIGINT back: a process that is started meanwhile never gets it."""
    if sys.platform == "win32":
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
