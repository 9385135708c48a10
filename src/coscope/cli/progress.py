"""A progress bar on standard error, for what takes more than two seconds on a terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING

from coscope.cli.paging import is_running

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from rich.progress import TaskID

PATIENCE = 2.0  # seconds without a bar


class Progress:
    """Counts; shows itself only to somebody who waits."""

    def __init__(self, what: str) -> None:
        self.what = what
        self.started = time.monotonic()
        self.bar: Bar | None = None
        self.task: TaskID | None = None

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.bar is not None:
            self.bar.stop()

    def advance(self, done: int, total: int) -> None:
        """Say that `done` of `total` are finished."""
        if is_running():  # the terminal is the pager's
            return
        if self.bar is None:
            if time.monotonic() - self.started < PATIENCE or not sys.stderr.isatty():
                return
            self._show()
        if self.bar is not None and self.task is not None:
            self.bar.update(self.task, completed=done, total=total)

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Take the bar away while something else is written.

        rich gives what is written to standard output meanwhile to the bar's own stream, so that it
        would be missing where standard output is a pipe.
        """
        if self.bar is None:
            yield
            return
        self.bar.stop()
        yield
        if not is_running():
            self.bar.start()

    def _show(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar

        columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()
        console = Console(stderr=True)
        self.bar = Bar(*columns, TimeRemainingColumn(), console=console, transient=True)
        self.task = self.bar.add_task(self.what, total=None)
        self.bar.start()
