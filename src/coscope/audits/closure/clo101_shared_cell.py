"""Functions made in a loop share one cell, so that all of them see its last value.

A closure holds a variable, not its value at the time. Functions that a loop makes in one call of
the code around them share the cell of the loop's variable; when they are called later, all of them
find what the last round assigned. The rule looks at live functions: several of the same code are
alive, their closures hold the same cell, and the loop that makes them assigns the variable.

    def handlers(names):
        found = []
        for name in names:
            found.append(lambda: print(name))     each prints the last name
        return found

What ruff's B023 finds in source may be used before the next round and be right; what this rule
finds has outlived the loop.

Proved: the functions are alive, hold one cell, and their loop assigns it. Assumed: they are called
from now on as well, and not every one of them wants the last value.

Bind the value: `lambda name=name: print(name)`, `functools.partial(print, name)`, or make the
function by calling another one with the value as argument.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import CellType

from coscope.audits.subject.subject import Subject
from coscope.facts.closures.owners import code_around, is_bound_late
from coscope.model import Finding
from coscope.readers.values import text_of

CODE = "CLO101"
SEVERITY = "error"
LIVE = True


def check(subject: Subject) -> Iterator[Finding]:
    live, world = subject.live, subject.unit.world
    if live is None or world is None or live.function is None or live.read is None:
        return
    function = live.function
    cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=False)
    for name, cell in cells:
        alike = [each for each in world.holders(cell) if each.__code__ is function.__code__]
        if len(alike) < 2 or alike[0] is not function:
            continue
        if is_bound_late(live.read, name, code_around(live.read)):
            yield _finding(subject, name, cell, len(alike))


def _finding(subject: Subject, name: str, cell: CellType, count: int) -> Finding:
    held = text_of(cell.cell_contents) if _is_full(cell) else "nothing"
    return subject.finding(
        CODE,
        f"{count} functions that a loop has made share the variable {name}",
        confidence="proved",
        evidence=[
            f"the closures of {count} live functions of this code hold one cell",
            f"it holds {held} now, for all of them",
        ],
        why="each call finds what the last round of the loop assigned",
        instead=f"bind the value: {name}={name} as a default, or functools.partial",
    )


def _is_full(cell: CellType) -> bool:
    try:
        cell.cell_contents  # noqa: B018
    except ValueError:
        return False
    return True
