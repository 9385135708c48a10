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

Code that looks at its variables by `locals()`, `eval` or `exec` is left out, and so is every file
that names a means to look at those of other code: `currentframe`, `f_locals`, `getclosurevars`,
`cell_contents`, and the like.

Proved: no instruction of the code that shares the cell reads it. Assumed: nobody reads it from
outside, such as a debugger, a pickler of functions, or a function of another file that looks at the
frames that called it. That the value stays alive as long as the cell does is not a reading.

Return it, read it, or remove it.
"""

from __future__ import annotations

from collections.abc import Iterator

from coscope.audits.closure.functions import looks_in
from coscope.audits.prefilter.cells import written_unread
from coscope.audits.prefilter.glances import Glance
from coscope.audits.subject.subject import Subject, Unit
from coscope.facts.closures.cells import CellUse
from coscope.facts.names.uses import uses_of
from coscope.model import Code, Finding

CODE = "CLO106"
SEVERITY = "warning"
CELLS = True

_DYNAMIC = frozenset({"locals", "eval", "exec", "vars", "dir"})
_NAMED = frozenset({"locals", "eval", "exec"})  # the others are words of many texts


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
    if looks_in(subject.unit) or subject.unit.fact(_renames):
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


def _renames(unit: Unit) -> bool:
    """True if code of the file loads one of these functions otherwise than to call it, imports it,
    or names it in a text: it may be called by another name."""
    for code in unit.codes:
        texts = [each for each in code.consts if type(each) is str]
        if not _NAMED.isdisjoint(texts) or _loads(code, unit):
            return True
    return False


def _loads(code: Code, unit: Unit) -> bool:
    if _DYNAMIC.isdisjoint(code.names):
        return False
    inside = Subject(code, unit)
    called = {at for call in inside.calls for at in call.callee}
    columns, rows = inside.instructions, inside.rules.by_code
    for index, opcode in enumerate(columns.opcodes):
        row = rows[opcode]
        if row is None or not row.operand.startswith("name") or index in called:
            continue
        if columns.argval(index) in _DYNAMIC and row.access[:1] not in _STORES:
            return True
    return False


_STORES = (("write name",), ("write global",), ("write attribute",))


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
