"""A captured variable is assigned, and nobody reads it.

`nonlocal` makes an assignment reach the code around, through a cell. Where neither that code nor
any other code nested in it reads the variable, the assignment is lost: a result that was meant to
be returned, or a leftover. No linter looks: each function by itself seems fine.

    def load(paths):
        count = 0
        def each(path):
            nonlocal count
            count = read(path)          nobody reads count
        for path in paths:
            each(path)

Code that looks at its variables by `locals()`, `eval` or `exec` is left out.

Return it, read it, or remove it.
"""

from __future__ import annotations

from collections.abc import Iterator

from coscope.audits.prefilter.cells import written_unread
from coscope.audits.prefilter.glances import Glance
from coscope.audits.subject.subject import Subject
from coscope.facts.closures.cells import CellUse
from coscope.facts.names.uses import uses_of
from coscope.model import Code, Finding

CODE = "CLO106"
SEVERITY = "warning"
CELLS = True

_DYNAMIC = frozenset({"locals", "eval", "exec", "vars", "dir"})


def may_find(seen: Glance) -> bool:
    return written_unread(seen)


def check(subject: Subject) -> Iterator[Finding]:
    code = subject.code
    if not code.cellvars:
        return
    inside = list(code.walk())
    if not _is_written_inside(subject, inside):
        return
    if any(_DYNAMIC.intersection(each.names) for each in inside):
        return
    for name in code.cellvars:
        if name.startswith("__") or name == "_":
            continue
        found = _uses(inside, name)
        write = _lost_write(code, found)
        if write is None:
            continue
        use, by = write
        own = Subject(by, subject.unit, subject.live)
        yield own.finding(
            CODE,
            f"nobody reads what is assigned to the nonlocal variable {name}",
            own.instructions.at(use.offset).index,
            confidence="proved",
            evidence=[f"{len(found)} uses of {name} in {code.qualname}, none of them reads it"],
            why="the assignment goes through a cell to code that never looks at it",
            instead=f"return it, read it, or take {name} away",
        )


def _is_written_inside(subject: Subject, inside: list[Code]) -> bool:
    """True if nested code writes a cell. Their bytes show it: most code ends here."""
    store = subject.rules.opcodes["STORE_DEREF"].code
    return any(
        each is not subject.code and each.freevars and store in each.code[::2] for each in inside
    )


def _lost_write(code: Code, found: list[tuple[CellUse, Code]]) -> tuple[CellUse, Code] | None:
    """The first assignment by nested code to a variable that is never read nor deleted."""
    if any(_reads(use) or use.access == "delete cell" for use, _ in found):
        return None
    writes = (each for each in found if each[0].access == "write cell" and each[1] is not code)
    return next(writes, None)


def _uses(inside: list[Code], name: str) -> list[tuple[CellUse, Code]]:
    return [
        (CellUse(code.qualname, use.access, use.offset, use.line), code)
        for code in inside
        if name in code.cellvars or name in code.freevars
        for used, _, use in uses_of(code)
        if used == name
    ]


def _reads(use: CellUse) -> bool:
    return use.access.startswith("read") or use.access in ("save cell", "restore cell")
