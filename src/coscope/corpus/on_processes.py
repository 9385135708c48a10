"""Runs parts on processes of this machine, and survives the death of any of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue

from coscope.corpus.part import scan_part
from coscope.corpus.tasks import Part
from coscope.corpus.worker import to_line
from coscope.errors import CoscopeError

# What was done with a part: its counts; None if its process died or took too long.
Outcome = tuple[Part, dict[str, int] | None]

_SECONDS = 120.0  # that a part may take, beside those of its files
_SECONDS_A_FILE = 2.0

# -I keeps the current folder, PYTHONPATH and the user's own packages out of the path.
_PROGRAM = (
    "import sys; sys.path.insert(0, {root!r}); from coscope.corpus.worker import main; main()"
)


def run_here(parts: Sequence[Part]) -> Iterator[Outcome]:
    """Run the parts in this process, one after the other."""
    for part in parts:
        yield part, scan_part(part)


def on_processes(parts: Sequence[Part], count: int) -> Iterator[Outcome]:
    """Run the parts on so many processes, and give what became of each as it ends.

    Raises:
        CoscopeError: The rows cannot be written.
    """
    waiting: SimpleQueue[Part] = SimpleQueue()
    done: SimpleQueue[Outcome | CoscopeError] = SimpleQueue()
    for part in parts:
        waiting.put(part)
    workers = [_Worker(waiting, done) for _each in range(min(count, len(parts)))]
    try:
        for each in workers:
            each.start()
        for _part in parts:
            outcome = done.get()
            if isinstance(outcome, CoscopeError):
                raise outcome
            yield outcome
    finally:
        for each in workers:
            each.end()


class _Worker:
    """One process, kept busy by a thread that waits for its answers."""

    def __init__(
        self, waiting: SimpleQueue[Part], done: SimpleQueue[Outcome | CoscopeError]
    ) -> None:
        self._waiting = waiting
        self._done = done
        self._process: subprocess.Popen[bytes] | None = None
        self._ending = False
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        """Begin with the first part."""
        self._thread.start()

    def end(self) -> None:
        """End the process, whatever it does."""
        self._ending = True
        self._kill()
        self._thread.join(5)

    def _run(self) -> None:
        while not self._ending and not self._waiting.empty():
            try:
                part = self._waiting.get_nowait()
            except Exception:  # another worker was quicker
                return
            try:
                self._done.put((part, self._scan(part)))
            except CoscopeError as error:
                self._done.put(error)
                return
        self._kill()

    def _scan(self, part: Part) -> dict[str, int] | None:
        process = self._started()
        timer = threading.Timer(_SECONDS + _SECONDS_A_FILE * len(part.tasks), self._kill)
        timer.daemon = True
        timer.start()
        try:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(to_line(part))
            process.stdin.flush()
            line = process.stdout.readline()
        except OSError:
            line = b""
        finally:
            timer.cancel()
        if not line.endswith(b"\n"):
            self._kill()
            return None
        answer = json.loads(line)
        if "error" in answer:
            raise CoscopeError(answer["error"])
        return {name: int(number) for name, number in answer.items()}

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            root = str(Path(__file__).resolve().parents[2])
            # A group of its own: Ctrl-C reaches the parent alone, which then ends the workers.
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-c", _PROGRAM.format(root=root)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=os.name != "nt",
                env=_environment(),
            )
        return self._process

    def _kill(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        with suppress(OSError):
            process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            with suppress(OSError):
                pipe.close() if pipe is not None else None


def _environment() -> dict[str, str]:
    """The environment without what changes how Python or PyArrow start."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return {**kept, "OMP_NUM_THREADS": "1"}
