"""`tune`: what could be gained at most, what is gained, and whether that is worth a change."""

from __future__ import annotations

import ast
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from coscope.errors import InputError, InterpreterError
from coscope.opcodes import VERSIONS
from coscope.readers.from_interpreter import find
from coscope.readers.naming import parse
from coscope.tuner.measurements import ByCall, ByCommand, Measurement, Refusal, Told
from coscope.tuner.predictions import proposals
from coscope.tuner.processes import Clocks, Processes, interpreter_of
from coscope.tuner.rewrites import rewrites_for, rewritten
from coscope.tuner.sources import Source, difference
from coscope.tuner.statistics import Gain, gain
from coscope.tuner.trial import Change, Cost, Proposal, Trial

Progress = Callable[[int, int], None]


def tune(
    target: str,
    call: str | None = None,
    *,
    test: str | None = None,
    setup: str = "",
    against: str | None = None,
    python: str | None = None,
    rounds: int | None = None,
    clocks: Clocks | None = None,
    progress: Progress | None = None,
) -> Trial:
    """Measure what changing a function gains. Imports its module, in processes of their own.

    Args:
        target: "package.module:function" or "package.module:Class.method".
        call: An expression that runs it, evaluated in its module: "total(orders)".
        test: A command that runs it, instead of a call: "pytest -q tests/test_shop.py".
        setup: Statements before the call, run once: "orders = make(100)".
        against: Another function that does the same, to measure instead of coscope's changes.
        python: The CPython to measure on, 3.8 or later; this one if not given.
        rounds: Rounds of each process of a call, 40 if not given; of a command, 12.
        clocks: What is measured, if not thread CPU time.
        progress: Called with how many processes are done, and how many there are.

    Raises:
        InputError: The target is not a function whose code can be changed, or the call fails.
        InterpreterError: The interpreter cannot be run, or ended without an answer.
    """
    interpreter = interpreter_of(None if python is None else _found(python))
    processes = Processes(interpreter, clocks or Clocks())
    _check(target, call, test, setup, against)
    told = Told(processes.ask("describe", target=target, against=against))
    measurement: Measurement = ByCommand(processes, target, test or "", rounds)
    if test is None:
        measurement = ByCall(processes, target, call or "", setup, against, rounds)
    cost, lines = measurement.begin()
    work = _Work(measurement, told, progress or _silent)
    if against is None:
        work.try_all(told.source())
    else:
        work.try_other(against)
    found, minor = proposals(processes, told.answer["file"], told.answer["qualname"], lines, cost)
    asked = (target, call, test)
    return work.trial(asked, cost, found, minor)


def _silent(done: int, total: int) -> None:
    """Nobody waits."""


@dataclass
class _Work:
    """The changes, tried one after the other; what wins is kept and the next put on top of it."""

    measurement: Measurement
    told: Told
    progress: Progress
    changes: list[Change] = field(default_factory=list)
    kept: str | None = None  # the text of the file with all changes that are kept
    untried: str | None = None  # why nothing was
    done: int = 0  # processes
    total: int = 0

    def try_all(self, source: Source | None) -> None:
        """Try what can be changed on this version."""
        if source is None:
            missing = self.told.text is None
            self.untried = "there is no source" if missing else "it is not found in its source"
            return
        possible = [
            each
            for each in rewrites_for(self.told.answer["version"])
            if rewritten(source, each) is not None
        ]
        if not possible:
            self.untried = f"it knows no change of it that may pay on {self.told.answer['version']}"
        self.total = self.measurement.steps * len(possible)
        for rewrite in possible:
            base = self.kept or source.text
            now = self.told.source(base)
            text = None if now is None else rewritten(now, rewrite)
            if text is None:
                continue  # a change before this one has made it, too
            diff = difference(base, text, self.told.shown_file)
            change = self.measured(Change(rewrite.rule, rewrite.text, diff, None), text)
            self.changes.append(change)
            if change.verified:
                self.kept = text

    def try_other(self, against: str) -> None:
        """Try a function that the user gave."""
        self.total = self.measurement.steps
        self.changes.append(self.measured(Change("", f"{against} in its place", None, None)))

    def measured(self, change: Change, text: str | None = None) -> Change:
        """A change with what it gains over what is kept so far."""
        try:
            rows, same = self.measurement.rows(self.kept, text, self._advance)
        except Refusal as refusal:
            return Change(change.rule, change.text, change.diff, None, False, str(refusal))
        return Change(change.rule, change.text, change.diff, gain(rows), same)

    def together(self) -> Gain | None:
        """The gain of all kept changes, if they are several."""
        if sum(change.verified for change in self.changes) < 2:
            return None
        self.total += self.measurement.steps
        return gain(self.measurement.rows(None, self.kept, self._advance)[0])

    def trial(
        self,
        asked: tuple[str, str | None, str | None],
        cost: Cost,
        found: tuple[Proposal, ...],
        minor: int,
    ) -> Trial:
        """All that came of it."""
        known, text = self.told.answer, self.told.text or ""
        target, call, test = asked
        return Trial(
            target=target,
            call=call,
            test=test,
            version=known["version"],
            release=known["release"],
            file=known["file"],
            line=known["line"],
            processes=self.measurement.steps,
            rounds=self.measurement.rounds,
            cost=cost,
            proposals=found,
            minor=minor,
            changes=tuple(self.changes),
            untried=self.untried,
            together=self.together(),
            diff=None if self.kept is None else difference(text, self.kept, self.told.shown_file),
        )

    def _advance(self) -> None:
        self.done += 1
        self.progress(self.done, max(self.total, self.done))


def _found(python: str) -> str:
    """The path of an interpreter.

    Raises:
        InterpreterError: It is not found, or too old.
    """
    found = find(python)
    if found.version not in VERSIONS:
        raise InterpreterError(
            f"tune cannot measure on CPython {found.release}",
            expected=f"CPython {VERSIONS[0]} to {VERSIONS[-1]}",
        )
    return found.path


def _check(
    target: str, call: str | None, test: str | None, setup: str, against: str | None
) -> None:
    """Refuse what cannot be meant.

    Raises:
        InputError: It cannot.
    """
    for name in (target, against):
        if name is not None:
            _check_name(name)
    if (call is None) == (test is None):
        raise InputError("one of a call and a test command is needed, and not both")
    if test is not None and (against is not None or setup):
        raise InputError("a test command goes with neither another function nor a setup")
    _check_syntax("call", call, "eval")
    _check_syntax("setup", setup, "exec")


def _check_syntax(what: str, text: str | None, mode: Literal["eval", "exec"]) -> None:
    try:
        ast.parse(text or "0", mode=mode)
    except (SyntaxError, ValueError) as error:
        reason = error.msg if isinstance(error, SyntaxError) else str(error)
        raise InputError(f"the {what} does not parse: {reason}", found=text) from error


def _check_name(target: str) -> None:
    named = parse(target)
    parts = [*named.left.split("."), *named.part.split(".")]
    if named.form == "import" and all(part.isidentifier() for part in parts):
        return
    hint = None
    if named.form == "file" and named.part and named.left.endswith(".py"):
        module = os.path.basename(named.left)[:-3]
        hint = f"The module is imported: {module}:{named.part} in its folder."
    raise InputError(
        f"{target!r} names no live function", expected="package.module:function", hint=hint
    )
