"""The time that one answer may take."""

from __future__ import annotations

import time
from collections.abc import Callable

Progress = Callable[[int, int], None]  # milliseconds gone, milliseconds allowed


class Clock:
    """Starts when it is made, and says when its time is over.

    Args:
        seconds: That it allows.
        progress: Called with the time gone whenever the clock is read.
    """

    def __init__(self, seconds: float, progress: Progress | None = None) -> None:
        self.started = time.monotonic()
        self.seconds = seconds
        self.progress = progress

    def over(self) -> bool:
        """True if more time is gone than was allowed."""
        gone = time.monotonic() - self.started
        if self.progress is not None:
            allowed = int(self.seconds * 1000)
            self.progress(min(int(gone * 1000), allowed), allowed)
        return gone > self.seconds
