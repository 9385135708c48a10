"""The document of `tune`

`coscope tune TARGET --json`.
"""

from __future__ import annotations

from typing import Literal, TypedDict

from coscope.render.schemas.shared import Header, Interval


class TunePython(TypedDict):
    """on which it was measured."""

    version: str
    release: str


class TuneCost(TypedDict):
    """what the function costs as it is."""

    nanoseconds: float  # of thread CPU time, for a call, or for a run of the command
    calls: int  # of the function in it
    share: float  # of a call: of its time, in which the thread works; of a command: of its CPU time


class TuneDocument(Header):
    """What `coscope tune --json` prints: the receipt."""

    command: Literal["tune"]
    target: str  # the function
    call: str | None  # the expression that ran it
    test: str | None  # the command that ran it
    python: TunePython  # on which it was measured
    file: str  # of the function
    line: int  # on which it begins
    processes: int  # that measured each change
    rounds: int  # of each process of a call; of a command, which runs 3 times in each
    cost: TuneCost  # what the function costs as it is
    proposals: list[TuneProposal]  # findings that may be worth it
    minor: int  # findings that cannot gain 3 ns each time, or 5% of the cost
    changes: list[TuneChange]  # in the order in which they were tried
    kept: list[int]  # indexes of the verified changes
    untried: str | None  # why coscope could try nothing
    together: TuneGain | None  # of all that is kept, if that are several changes
    diff: str | None  # of the file, with all that is kept
    error: None  # as in every document that is not an error


class TuneProposal(TypedDict):
    """A finding in the function, and what it gains at most."""

    rule: str
    line: int | None
    message: str
    instead: str
    times: int  # that its operation runs, in a call or in a run of the command
    # that each operation loses at most, measured on that interpreter in this run
    nanoseconds: float | None
    share: float | None  # of the cost, that it gains at most


class TuneChange(TypedDict):
    """One change that was tried, on top of those before it that are kept."""

    rule: str | None  # null of a function that the user gave
    text: str  # what it does
    diff: str | None  # of the file
    verified: bool  # it gains more than chance and noise explain
    gain: TuneGain | None  # null of a change that is refused
    same_result: bool | None  # null: that cannot be compared
    refused: str | None  # why it does not count as a change


class TuneGain(TypedDict):
    """What paired measurements say."""

    ratio: float  # how many times as fast
    interval: Interval  # of 95%
    null: float  # the ratio of the null run
    noise: float  # 90th percentile of how far from 1 the null run of a process is
    threshold: float  # 0.02, or twice the noise
    verified: bool
    slower: bool  # by more than the threshold
    before_ns: float
    after_ns: float
