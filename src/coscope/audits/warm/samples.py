"""Watches a running program from a thread beside it: where its time goes, which types its locals
have, and whether specialised sites keep missing. It traces nothing and instruments nothing.

Every few milliseconds it looks at the frames of the other threads. What it sees is true of the
moment: a type that was not seen may exist, one that was seen does.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import CodeType, FrameType, ModuleType

from coscope.audits.warm.specialization import read_sites, specializes
from coscope.audits.warm.traces import traces_of
from coscope.readers.frames import crashes_when_read

_MOST_TYPES = 12  # of one local that are told apart
_MOST_READINGS = 2000  # of the counters of one code object
_DEEPEST = 40  # frames of a thread that are looked at
_OPTIMIZED = 0x1
_MANY = 8  # misses in a moment: such as cost half a percent of it, or more
_MOMENT = 1e-4  # seconds between two readings, at least
_SHORTEST = 4e-5  # seconds of CPU time that a moment takes, at least: else the program did not run
_LONGEST = 5e-4  # and at most
_ENOUGH = 4  # samples and moments, from which it is told whether something keeps missing
_LEAST = 2  # moments with many misses
_OFTEN = 0.4  # of the moments, that have them
_WAITS = 100  # milliseconds that a thread which has ended may take to be gone


@dataclass(slots=True)
class Misses:
    """The misses of one specialised site."""

    executed: str  # its form in the last reading
    count: int  # its misses since it was specialised, in the last reading
    many: int = 0  # pairs of readings between which it missed many times

    def note(self, executed: str, count: int) -> None:
        """Take note of a reading a moment after the last one."""
        step = count - self.count
        # It counts to 53 only, and then from 0: a count that fell has gone through there.
        self.many += executed != self.executed or step < 0 or step >= _MANY
        self.executed, self.count = executed, count


@dataclass(slots=True)
class Seen:
    """What was seen of one code object."""

    co: CodeType
    unread: bool = False  # its locals: this CPython would crash
    samples: int = 0  # moments at which it was on the stack
    running: int = 0  # moments at which it ran itself
    readings: int = 0  # of its counters
    pairs: int = 0  # of readings with less than half a millisecond of CPU time between them
    places: dict[int, int] = field(default_factory=dict)  # samples by f_lasti, bytes in co_code
    types: dict[str, dict[int, type]] = field(default_factory=dict)  # by local, by id()
    times: dict[str, dict[int, int]] = field(default_factory=dict)  # samples of each such type
    modules: dict[str, dict[int, ModuleType]] = field(default_factory=dict)
    classes: dict[str, dict[int, type]] = field(default_factory=dict)  # that a local held itself
    traces: dict[int, int] = field(default_factory=dict)  # that the JIT made; of `traces_of`
    misses: dict[int, Misses] = field(default_factory=dict)  # by offset in co_code


class Recorder:
    """Looks at the frames of the other threads until it is stopped.

    Args:
        wanted: Says of a code object and the globals it runs with whether it is of interest.
        interval: Seconds between two looks.
    """

    def __init__(
        self, wanted: Callable[[CodeType, dict[str, object]], bool], interval: float = 0.005
    ) -> None:
        self.wanted = wanted
        self.interval = interval
        self.seen: dict[int, Seen] = {}  # by id() of the code object, which it keeps alive
        self.samples = 0
        self._skipped: dict[int, CodeType] = {}
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._reads = specializes()

    def start(self) -> None:
        """Begin to look, or go on, from a daemon thread."""
        self._stop.clear()
        self._thread = threading.Thread(target=self._look_on, name="coscope-warm", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop, and wait until it has, and the system has no such thread any more."""
        self._stop.set()
        thread = self._thread
        if thread is None or thread is threading.current_thread():
            return
        thread.join()
        for _ in range(_WAITS):
            if not os.path.exists(f"/proc/self/task/{thread.native_id}"):
                return
            time.sleep(0.001)

    def _look_on(self) -> None:
        own = threading.get_ident()
        while not self._stop.wait(self.interval):
            frames = sys._current_frames()
            frames.pop(own, None)
            self.samples += 1
            codes: list[CodeType] = []
            for frame in frames.values():
                codes += self.look_at(frame)
            del frames
            self._read_twice(codes)

    def look_at(self, frame: FrameType | None) -> list[CodeType]:
        """Take note of a frame and of those that called it; their code, as far as it is wanted."""
        noted: dict[int, CodeType] = {}
        for depth in range(_DEEPEST):
            if frame is None:
                break
            co = frame.f_code
            seen = self._of(co, frame)
            if seen is not None and id(co) not in noted:
                noted[id(co)] = co
                seen.samples += 1
                seen.running += depth == 0
                seen.places[frame.f_lasti] = seen.places.get(frame.f_lasti, 0) + 1
                self._note_types(seen, frame)
                self.read(co)
            frame = frame.f_back
        return list(noted.values())

    def _of(self, co: CodeType, frame: FrameType) -> Seen | None:
        if id(co) in self.seen:
            return self.seen[id(co)]
        if id(co) in self._skipped:
            return None
        if not co.co_flags & _OPTIMIZED or not self.wanted(co, frame.f_globals):
            self._skipped[id(co)] = co
            return None
        return self.seen.setdefault(id(co), Seen(co, crashes_when_read(co)))

    def _note_types(self, seen: Seen, frame: FrameType) -> None:
        for name, value in [] if seen.unread else list(frame.f_locals.items()):
            kinds = seen.types.setdefault(name, {})
            if len(kinds) < _MOST_TYPES:
                kinds[id(type(value))] = type(value)
            times = seen.times.setdefault(name, {})
            if id(type(value)) in kinds:
                times[id(type(value))] = times.get(id(type(value)), 0) + 1
            if type(value) is ModuleType:
                seen.modules.setdefault(name, {})[id(value)] = value
            elif issubclass(type(value), type):
                held = seen.classes.setdefault(name, {})
                if len(held) < _MOST_TYPES:
                    held[id(value)] = value

    def read(self, co: CodeType) -> None:
        """Read the counters of a code object."""
        seen = self.seen.setdefault(id(co), Seen(co))
        if self._reads and seen.readings < _MOST_READINGS:
            seen.readings += 1
            seen.traces.update(traces_of(co))
            for site in read_sites(co, executions=0, misses=1):
                known = seen.misses.setdefault(site.offset, Misses(site.executed, 0))
                known.executed, known.count = site.executed, site.misses

    def read_again(self, co: CodeType) -> None:
        """Read them a moment after `read`, to see how many misses there are in a moment."""
        seen = self.seen[id(co)]
        seen.pairs += 1
        settled = dict(seen.misses)
        for site in read_sites(co, executions=0, misses=1):
            known = settled.pop(site.offset, None)
            if known is None:
                known = seen.misses[site.offset] = Misses(site.executed, 0)
            known.note(site.executed, site.misses)
        for known in settled.values():
            known.note(known.executed, 0)  # specialised anew, or about to be

    def _read_twice(self, codes: list[CodeType]) -> None:
        """Let the program run for a moment, and read the counters of what it ran again."""
        codes = [co for co in codes if self.seen[id(co)].misses]
        if not codes or not self._reads:
            return
        for co in codes:
            self.read(co)
        interval = sys.getswitchinterval()
        sys.setswitchinterval(_MOMENT)  # the interpreter is asked back so soon
        try:
            started = time.process_time()
            time.sleep(_MOMENT)
            taken = time.process_time() - started
        finally:
            sys.setswitchinterval(interval)
        if _SHORTEST <= taken <= _LONGEST:
            for co in codes:
                self.read_again(co)

    def keeps_missing(self, co: CodeType, offset: int) -> bool | None:
        """True if a site misses many times in a moment; None if there were too few moments to tell.

        What misses now and then, as at each thousandth execution, hardly does in such a moment.
        """
        seen = self.seen.get(id(co))
        if seen is None or (seen.misses and seen.pairs < _ENOUGH) or seen.samples < _ENOUGH:
            return None
        found = seen.misses.get(offset)
        return found is not None and _LEAST <= found.many >= seen.pairs * _OFTEN


class _Current:
    """The recorder of this process, for the rules that look at what has run."""

    def __init__(self) -> None:
        self.recorder: Recorder | None = None


_current = _Current()


def use(recorder: Recorder | None) -> None:
    """Let the rules ask this recorder; None: there is none."""
    _current.recorder = recorder


def recorder() -> Recorder | None:
    """The recorder that rules may ask."""
    return _current.recorder


def seen_of(co: CodeType) -> Seen | None:
    """What was seen of a code object; None if nothing was."""
    return None if _current.recorder is None else _current.recorder.seen.get(id(co))
