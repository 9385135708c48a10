"""What audits say: frozen data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from coscope.span import NOWHERE, Span

SEVERITIES = ("error", "warning", "info")
CONFIDENCES = (
    "proved",  # the code, or the objects, cannot be otherwise
    "measured",  # a clock said so, on this machine
    "likely",  # it holds unless something that coscope does not see makes it untrue
)


class Evidence(NamedTuple):
    """One fact on which a finding rests."""

    text: str  # one clause: "LOAD_GLOBAL eval", "the cell of i is shared by 3 functions"
    offset: int | None = None  # byte offset in co_code, if an instruction is the fact
    line: int | None = None  # in the finding's file, if it has a place of its own


class Step(NamedTuple):
    """One place that a value passes, in the file of its finding."""

    text: str  # of the source, or what is known: "the parameter x"
    span: Span = NOWHERE
    code: str = ""  # qualified name of the code object


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a rule has to say about one place. Used by audits."""

    rule: str  # "PERF301"
    message: str  # one clause, without a full stop
    severity: str  # one of SEVERITIES
    code: str  # qualified name of the code object
    file: str | None = None
    span: Span = NOWHERE
    offset: int | None = None  # bytes in co_code
    title: str = ""  # of the rule
    confidence: str = "likely"  # one of CONFIDENCES
    evidence: tuple[Evidence, ...] = ()
    why: str = ""  # why it matters on this version of CPython; one or two sentences
    instead: str = ""  # what to write instead: a sentence, or code
    version: str = ""  # "3.13": of the CPython for which it is true
    target: str | None = None  # "package.module:name" of the live object, if it was one
    nanoseconds: float | None = None  # that each operation loses, alone in a loop, measured here
    flow: tuple[Step, ...] = ()  # the way of a value, from where it comes to where it is used
    runs: int | None = None  # how often the operation was executed in a warm run, at most
    saved: float | None = None  # seconds of that run that could be saved there, at most

    @property
    def line(self) -> int | None:
        """Source line, from 1."""
        return self.span.lineno
