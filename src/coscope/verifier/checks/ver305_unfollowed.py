"""The stack cannot be followed to the end.

Following values takes a number of steps in proportion to the instructions, and the verifier stops
at a bound, so that hostile code cannot keep it busy. No compiler's code comes near. Nothing is
proved then, either way: the verdict is "not decided", which is no violation, and nothing runs the
code.

    COPY 1000           and a thousand more, in a loop, of a thousand values
"""

from __future__ import annotations

from collections.abc import Iterator

from coscope.verifier.report import Violation
from coscope.verifier.subject import Subject

CODE = "VER305"


def check(subject: Subject) -> Iterator[Violation]:
    if subject.graph is None or subject.sound or subject.frames is not None:
        return  # what keeps a graph from being built has checks of its own
    error = subject.tangled
    yield subject.violation(
        CODE,
        "the stack cannot be followed" if error is None else error.what,
        offset=None if error is None else error.offset,
        expected=None if error is None else error.expected,
        found=None if error is None else error.found,
        undecided=True,
    )
