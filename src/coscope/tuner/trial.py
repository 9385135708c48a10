"""`tune`: what could be gained at most, what is gained, and whether that is worth a change."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coscope.audits.engine import audit_unit, unit_of
from coscope.audits.options import Options
from coscope.audits.selection import all_rules
from coscope.errors import InputError, InterpreterError
from coscope.model import Finding
from coscope.readers.from_interpreter import find
from coscope.readers.targets import read_file
from coscope.result import Result
from coscope.rules import Rule
from coscope.tuner.rewrites import plain, rewrites_for, rewritten
from coscope.tuner.statistics import Gain, gain

_WORKER = Path(__file__).with_name("worker.py")
_SECONDS = 600  # that one request may take


@dataclass(frozen=True, slots=True)
class Change:
    """One change that was tried, or that can only be proposed."""

    rule: str  # "" of a form that the user gave
    text: str  # what it does
    source: str | None  # of the changed function; None if it was not tried
    gain: Gain | None
    error: str | None = None  # why it could not be measured

    @property
    def verified(self) -> bool:
        """True if it is faster by more than chance and noise explain."""
        return self.gain is not None and self.gain.verified


@dataclass(frozen=True, slots=True)
class Proposal:
    """A finding in the function: what it costs at most."""

    finding: Finding
    times: int  # that its line runs in one call
    nanoseconds: float | None  # of each operation, at most; None if it could not be measured
    share: float | None  # of the time of the call that can be gained, at most


@dataclass(frozen=True, slots=True)
class Trial(Result):
    """What came of tuning one function; its JSON is the receipt."""

    target: str
    call: str
    version: str  # "3.13"
    release: str
    file: str
    line: int
    rounds: int
    proposals: tuple[Proposal, ...]
    changes: tuple[Change, ...]

    @property
    def best(self) -> Change | None:
        """The verified change that gains most; None: no change is worth it."""
        verified = [change for change in self.changes if change.verified]
        return max(verified, key=lambda each: each.gain.ratio if each.gain else 0, default=None)


def tune(
    target: str,
    call: str,
    *,
    setup: str = "",
    against: str | None = None,
    python: str | None = None,
    rounds: int = 60,
) -> Trial:
    """Measure what changing a function gains. Imports its module, in a process of its own.

    Args:
        target: "package.module:function" or "package.module:Class.method".
        call: An expression that calls it, evaluated in its module: "total(orders)".
        setup: Statements before it, run once: "orders = make(100)".
        against: Another function that does the same, to measure instead of coscope's changes.
        python: The CPython to measure on, 3.8 or later; this one if not given.
        rounds: Rounds of the measurement.

    Raises:
        InputError: The target is no function whose source is known, or the call fails.
        InterpreterError: The interpreter cannot be run, or ended without an answer.
    """
    interpreter = sys.executable if python is None else find(python).path
    request: dict[str, Any] = {"target": _checked(target), "call": call, "setup": setup}
    _check_call(call, setup)
    known = _ask(interpreter, {"do": "describe", **request})
    if known["free"]:
        raise InputError(
            f"{target} has free variables ({', '.join(known['free'])}): it cannot be made anew",
            hint="Measure another function that does the same: --against.",
        )
    source = plain(textwrap.dedent(known["source"]))
    counted = _ask(interpreter, {"do": "count", **request})["lines"]
    request |= {"source": source, "rounds": rounds}
    changes = tuple(_changes(interpreter, request, known["version"], source, against))
    measured = next((each.gain for each in changes if each.gain is not None), None)
    if measured is None:
        rows = _ask(interpreter, {"do": "measure", **request, "changed": source})["rounds"]
        measured = gain(rows)
    return Trial(
        target,
        call,
        known["version"],
        known["release"],
        known["file"],
        known["line"],
        rounds,
        _proposals(interpreter, known, counted, measured),
        changes,
    )


def _changes(
    interpreter: str, request: dict[str, Any], version: str, source: str, against: str | None
) -> list[Change]:
    if against is not None:
        asked = {"do": "measure", **request, "against": _checked(against)}
        rounds = _ask(interpreter, asked)["rounds"]
        return [Change("", f"{against} in its place", None, gain(rounds))]
    found = []
    for rewrite in rewrites_for(version):
        changed = rewritten(source, rewrite)
        if changed is None:
            continue
        asked = {"do": "measure", **request, "changed": changed}
        try:
            measured: Gain | None = gain(_ask(interpreter, asked)["rounds"])
            error = None
        except InputError as failed:
            measured, error = None, failed.what
        found.append(Change(rewrite.rule, rewrite.text, changed, measured, error))
    return found


def _proposals(
    interpreter: str, known: dict[str, Any], counted: dict[str, int], measured: Gain
) -> tuple[Proposal, ...]:
    """The findings in the function, each with what it can gain at most."""
    rules = [rule for rule in all_rules() if rule.code.startswith("PERF")]
    rules = [rule for rule in rules if not rule.live and not rule.warm]
    file = known["file"]
    if not os.path.exists(file):
        return ()
    unit = unit_of(read_file(file, python=interpreter), file, Options())
    inside = f"{known['qualname']}."
    findings = [
        finding
        for finding in audit_unit(unit, rules).findings
        if finding.code == known["qualname"] or finding.code.startswith(inside)
    ]
    bounds = bounds_of({finding.rule for finding in findings}, rules, interpreter)
    found = []
    for finding in findings:
        times = counted.get(str(finding.line), 0)
        bound = bounds.get(finding.rule)
        share = None if bound is None else min(1.0, times * max(0.0, bound) / measured.before)
        found.append(Proposal(finding, times, bound, share))
    return tuple(found)


def bounds_of(codes: set[str], rules: list[Rule], interpreter: str) -> dict[str, float]:
    """Nanoseconds that an operation of each rule loses at most, on an interpreter: an upper bound
    of the median of what was measured."""
    from coscope.audits.calibration import Pair, lower_bound

    pairs = {}
    for rule in rules:
        pair = getattr(rule.lower_bound, "__self__", None)
        if rule.code in codes and isinstance(pair, Pair):
            pairs[rule.code] = {name: getattr(pair, name) for name in Pair.__dataclass_fields__}
    if not pairs:
        return {}
    told = _ask(interpreter, {"do": "calibrate", "pairs": pairs})["differences"]
    return {
        code: -lower_bound([-each for each in measured])
        for code, measured in told.items()
        if isinstance(measured, list)
    }


def _checked(target: str) -> str:
    module, colon, name = target.partition(":")
    if not colon or not module or not all(part.isidentifier() for part in name.split(".")):
        raise InputError(f"{target!r} names no live function", expected="package.module:function")
    return target


def _check_call(call: str, setup: str) -> None:
    for text, mode in ((call, "eval"), (setup, "exec")):
        try:
            ast.parse(text, mode=mode)
        except SyntaxError as error:
            what = "call" if mode == "eval" else "setup"
            raise InputError(f"the {what} does not parse: {error.msg}", found=text) from error


def _ask(interpreter: str, request: dict[str, Any]) -> dict[str, Any]:
    """One request to a worker of its own.

    Raises:
        InputError: What the user gave failed there.
        InterpreterError: There is no answer.
    """
    try:
        done = subprocess.run(
            [interpreter, str(_WORKER)],
            input=json.dumps(request),
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise InterpreterError(f"the measurement failed: {error}") from error
    lines = done.stdout.strip().splitlines()
    try:
        answer: dict[str, Any] = json.loads(lines[-1]) if lines else {}
    except ValueError:
        answer = {}
    if "error" in answer:
        raise InputError(f"{request['target']}: {answer['error']}", found=request.get("call"))
    if done.returncode or not answer:
        told = done.stderr.strip().splitlines()
        raise InterpreterError(
            "the process that measures ended without an answer",
            found=told[-1] if told else f"exit status {done.returncode}",
        )
    return answer
