"""What `tune` reports about one function: predictions, changes, and which of them are kept."""

from __future__ import annotations

from dataclasses import dataclass

from coscope.model import Finding
from coscope.result import Result
from coscope.tuner.statistics import Gain


@dataclass(frozen=True, slots=True)
class Change:
    """One change that was tried."""

    rule: str  # "" of a form that the user gave
    text: str  # what it does
    diff: str | None  # of the file, in the unified form; None of a form that the user gave
    gain: Gain | None  # None if it was refused
    same: bool | None = None  # it gives the same result; None: that cannot be compared
    refused: str | None = None  # why it does not count as a change

    @property
    def verified(self) -> bool:
        """True if it is faster by more than chance and noise explain, and changes no result."""
        return self.refused is None and self.gain is not None and self.gain.verified


@dataclass(frozen=True, slots=True)
class Proposal:
    """A finding in the function: what it costs at most."""

    finding: Finding
    times: int  # that its line runs in one call, or in one run of the command
    nanoseconds: float | None  # of each operation, at most; None if it could not be measured
    share: float | None  # of the time of the function that can be gained, at most


@dataclass(frozen=True, slots=True)
class Cost:
    """What one call of the function costs, or all its calls in one run of the command."""

    nanoseconds: float  # of thread CPU time
    calls: int  # runs of the function
    share: float  # call: of the time, in which the thread works; command: of its CPU time


@dataclass(frozen=True, slots=True)
class Trial(Result):
    """What came of tuning one function; its JSON is the receipt."""

    target: str
    call: str | None
    test: str | None  # the command, if there was no call
    version: str  # "3.13"
    release: str
    file: str
    line: int
    processes: int  # that measured each change
    rounds: int  # of each process of a call; of a command, 3 runs each
    cost: Cost
    proposals: tuple[Proposal, ...]
    minor: int  # findings that cannot gain 3 ns each, or 5% of a call together
    changes: tuple[Change, ...]
    untried: str | None  # why coscope could try nothing, if it could not
    together: Gain | None  # of all that is kept, if that are several
    diff: str | None  # of all that is kept

    @property
    def kept(self) -> tuple[Change, ...]:
        """The verified changes, each measured on top of those before it; none: none is worth it."""
        return tuple(change for change in self.changes if change.verified)
