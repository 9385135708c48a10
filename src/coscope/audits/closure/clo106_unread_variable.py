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

Return it, read it, or take it away.
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
    store = subject.rules.opcodes["STORE_DEREF"].code
    if not any(each is not code and each.freevars and store in each.code[::2] for each in inside):
        return
    if any(_DYNAMIC.intersection(each.names) for each in inside):
        return
    uses = {name: _uses(inside, name) for name in code.cellvars}
    for name, found in uses.items():
        if name.startswith("__") or name == "_" or any(_reads(use) for use, _ in found):
            continue
        writes = [(use, by) for use, by in found if use.access == "write cell" and by is not code]
        if not writes or any(use.access == "delete cell" for use, _ in found):
            continue
        use, by = writes[0]
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
