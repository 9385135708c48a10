"""How two forms of a function are compared: by one call in several processes, or by a command."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from coscope.errors import InputError
from coscope.tuner.processes import Processes, Ran
from coscope.tuner.sources import Known, Source, source_of
from coscope.tuner.statistics import Round
from coscope.tuner.trial import Cost

PROCESSES = 7  # that measure one call
ROUNDS = 40  # of each of them
RUNS = 12  # rounds of a command: in each it runs three times
_BUDGET = 60.0  # seconds for one change, where the call takes long
_FEWEST = 3  # rounds of a process
_LONGEST = 5.0  # seconds of a call that is measured

Rows = list[list[Round]]  # rounds of each process


class Refusal(Exception):
    """A change that does not count, because it changes what the function does."""


class Measurement(Protocol):
    """A way to compare two forms of a function."""

    steps: int  # processes that one comparison starts
    rounds: int

    def begin(self) -> tuple[Cost, dict[int, int]]:
        """What the function costs, and how often its lines run."""

    def rows(
        self, before: str | None, after: str | None, advance: Callable[[], None]
    ) -> tuple[Rows, bool | None]:
        """Compare two texts of the function's file; None is the file as it is.

        Returns:
            Seconds of each process and round, and whether the results are the same.

        Raises:
            Refusal: The second form gives another result, or fails.
        """


@dataclass(frozen=True)
class Told:
    """What a process reports about the function."""

    answer: dict[str, Any]

    @property
    def text(self) -> str | None:
        """The text of its file."""
        text: str | None = self.answer["text"]
        return text

    @property
    def shown_file(self) -> str:
        """Its file, as seen from here."""
        file: str = self.answer["file"]
        near = os.path.relpath(file) if os.path.isabs(file) else file
        return file if near.startswith(os.pardir) else near.replace(os.sep, "/")

    def source(self, text: str | None = None) -> Source | None:
        """The function in a text of its file."""
        text = self.text if text is None else text
        if text is None:
            return None
        known = Known(
            frozenset(self.answer["free"]),
            frozenset(self.answer["modules"]),
            frozenset(self.answer["suppress"]),
            {name: tuple(takes) for name, takes in self.answer["constructors"].items()},
        )
        return source_of(text, self.answer["name"], self.answer["line"], known)


class ByCall:
    """One call, run again and again in several processes, the forms interleaved."""

    def __init__(
        self,
        processes: Processes,
        target: str,
        call: str,
        setup: str,
        against: str | None,
        rounds: int | None,
    ) -> None:
        self.ask = processes.ask
        self.request: dict[str, object] = {"target": target, "call": call, "setup": setup}
        self.against = against
        self.given = rounds
        self.rounds = rounds or ROUNDS
        self.steps = PROCESSES

    def begin(self) -> tuple[Cost, dict[int, int]]:
        found = self.ask("count", **self.request)
        seconds = found["seconds"] / max(found["busy"], 1e-6)  # of wall time, if nobody else works
        if self.given is None:
            if seconds > _LONGEST:
                raise InputError(
                    f"one call takes {seconds:.1f} s, too long to be repeated",
                    hint="Give a smaller call, or say how often with --rounds.",
                )
            fit = int(_BUDGET / (PROCESSES * 3 * max(seconds, 1e-9)))
            self.rounds = max(_FEWEST, min(ROUNDS, fit))
        cost = Cost(found["seconds"] * 1e9, found["entered"], found["busy"])
        return cost, {int(line): times for line, times in found["lines"].items()}

    def rows(
        self, before: str | None, after: str | None, advance: Callable[[], None]
    ) -> tuple[Rows, bool | None]:
        found: Rows = []
        told: list[bool | None] = []
        for number in range(PROCESSES):
            asked = {**self.request, "rounds": self.rounds, "seed": number}
            asked |= {"against": self.against} if after is None else {"after": after}
            try:
                answer = self.ask("measure", before=before, **asked)
            except InputError as error:
                if self.against is not None:
                    raise
                raise Refusal(f"with it the call fails: {error.what}") from error
            if answer["same"] is False and answer["steady"]:
                raise Refusal("it gives another result")
            told.append(answer["same"] if answer["steady"] else None)
            found.append(answer["rounds"])
            advance()
        return found, None if None in told else True


class ByCommand:
    """A test command, run with each form in turn; what counts is the time in the function."""

    def __init__(self, processes: Processes, target: str, command: str, rounds: int | None) -> None:
        self.processes = processes
        self.target = target
        self.command = command
        self.rounds = rounds or RUNS
        self.steps = 3 * self.rounds

    def begin(self) -> tuple[Cost, dict[int, int]]:
        counted = self._passing(counts=True)
        timed = self._passing()
        (seconds,) = timed.seconds
        share = seconds / timed.process if timed.process else 1.0
        return Cost(seconds * 1e9, timed.calls, min(1.0, share)), counted.lines

    def rows(
        self, before: str | None, after: str | None, advance: Callable[[], None]
    ) -> tuple[Rows, bool | None]:
        chance = random.Random(0)
        found: Rows = []
        for number in range(self.rounds):
            sums = [0.0, 0.0, 0.0]
            for shift in chance.sample(range(3), 3):
                ran = self.processes.run(
                    self.command,
                    self.target,
                    (before, after, before),
                    shift=shift,
                    seed=number + 1,
                )
                if ran.status:
                    self._passing()  # or else it is not for the change that it fails
                    raise Refusal(f"with it the command fails: exit status {ran.status}")
                sums = [a + b for a, b in zip(sums, ran.seconds, strict=True)]
                advance()
            found.append([sums])
        return found, True

    def _passing(self, counts: bool = False) -> Ran:
        """A run without any change, which must not fail."""
        ran = self.processes.run(self.command, self.target, [None], counts=counts)
        if ran.status:
            raise InputError(
                f"the command fails without any change: exit status {ran.status}",
                found=ran.ending or self.command,
            )
        return ran
