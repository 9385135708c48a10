"""A function will read a variable that nobody has given a value.

The cell is empty, the function's code reads it on its way to every return, and no live function
that shares the cell assigns it: the next call raises NameError. It happens where the code around
returned, or raised, before it assigned the variable, and where `except ... as error` has taken the
variable away.

    def connect(address):
        try:
            peer = open_connection(address)
        except OSError as error:
            return lambda: print(error)         error is deleted when the handler ends

What the code around does itself can be proved without importing anything: see CLO108.

Bind the value while it is there: `lambda error=error: print(error)`.
"""

from __future__ import annotations

from collections.abc import Iterator

from coscope.audits.closure.functions import certain_read
from coscope.audits.subject.subject import Subject
from coscope.audits.subject.world import World
from coscope.model import Finding
from coscope.readers.attributes import MISSING

CODE = "CLO105"
SEVERITY = "error"
LIVE = True


def check(subject: Subject) -> Iterator[Finding]:
    live, world = subject.live, subject.unit.world
    if live is None or world is None or live.function is None:
        return
    function = live.function
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=False):
        if World.contents(cell) is not MISSING or world.is_written(cell):
            continue
        read = certain_read(subject, name)
        if read is not None:
            yield subject.finding(
                CODE,
                f"the next call raises NameError: the cell of {name} is empty",
                read,
                confidence="likely",
                evidence=[subject.seen(read), "no live function that shares the cell assigns it"],
                why="the code around ended, or an except clause took the variable away",
                instead=f"bind the value while it is there: {name}={name} as a default",
            )
