"""Names that raise NameError or UnboundLocalError if their use is reached."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from itertools import compress
from typing import NamedTuple

from coscope.errors import CodeError
from coscope.facts.dependencies.rows import Dependency, Failure, Reached, lines_at
from coscope.facts.names.accesses import CELL, Accesses, accesses_of
from coscope.flow import Frames, build
from coscope.flow.domains.assigned import Assigned, assigned
from coscope.flow.effects import effect_of
from coscope.model import Code, Span
from coscope.opcodes import table

_OPTIMIZED = 0x1
_NOT_BOUND = "neither its globals nor its builtins have the name now"
_NO_GLOBAL = "its globals do not have the name now"
_EMPTY = "its cell is empty now"
_NO_VALUE = "no path to it gives the variable a value"


def failures(
    codes: Iterable[Reached], uses: Iterable[Accesses], rows: Iterable[Dependency]
) -> Iterator[Failure]:
    """Every use that is certain to raise if control comes to it.

    A global or cell that any of the reached code assigns is left out: it may have a value by
    then. So is a name of a class body, since a metaclass may have filled its namespace.
    """
    yield from _of_outer_names(list(rows))
    for reached, accesses in zip(codes, uses, strict=True):
        yield from _of_locals(reached, accesses)


def _why_unbound(row: Dependency, star_imports: bool) -> str | None:
    """Why a name has no value now; None if it has one, or a star import may give it one."""
    if row.kind == "cell" and row.empty:
        return _EMPTY
    if row.kind == "unbound" and not star_imports:
        return _NOT_BOUND if row.access == "read" else _NO_GLOBAL
    return None


def _of_outer_names(rows: list[Dependency]) -> Iterator[Failure]:
    written = {(row.kind == "cell", row.name) for row in rows if row.access == "write"}
    stars = {row.name for row in rows if row.access == "import" and row.name.endswith("*")}
    for row in rows:
        if (row.kind == "cell", row.root) in written or row.access not in ("read", "delete"):
            continue
        reason = _why_unbound(row, bool(stars))
        if reason is not None:
            lines = lines_at(row.code, row.offsets)
            yield Failure(row.root, "NameError", reason, row.path, row.offsets, lines)


def _of_locals(reached: Reached, accesses: Accesses) -> Iterator[Failure]:
    code = reached.code
    if not code.flags & _OPTIMIZED or not _may_be_unassigned(code, accesses):
        return
    try:
        domain, frames = assigned(build(code), _written_inside(code))
    except CodeError:
        return  # the flow of such code is not known, and so nothing of it is certain
    found: dict[str, list[int]] = {}
    for name, offset in _certain(_uses(code, domain, frames)):
        found.setdefault(name, []).append(offset)
    for name, offsets in found.items():
        at = tuple(offsets)
        lines = lines_at(code, at)
        yield Failure(name, "UnboundLocalError", _NO_VALUE, reached.path, at, lines)


class _Use(NamedTuple):
    """One read or deletion of a variable that is not global."""

    name: str
    offset: int
    span: Span
    fails: bool
    alone: bool  # the instruction uses no other variable, and so the span is that of the name


def _uses(code: Code, domain: Assigned, frames: Frames[bool]) -> Iterator[_Use]:
    """Every use that control may come to."""
    columns = code.instructions
    users, checking = _readers(code.version)
    for index in compress(range(len(columns)), bytes(columns.opcodes).translate(users)):
        frame, opcode = frames[index], columns.opcodes[index]
        if frame is None:
            continue
        touched = domain.touched(effect_of(code.version, opcode, columns.opargs[index], False))
        for access, bit in touched:
            if access.split()[0] in ("read", "delete"):
                name = domain.bits.get(bit)
                checks = checking[opcode] and (name is None or _is_checked(access, name))
                yield _Use(
                    name or code.varnames[bit],
                    columns.offsets[index],
                    columns.positions[index],
                    bool(checks and not frame.locals >> bit & 1),
                    len(touched) == 1,
                )


def _is_checked(access: str, name: str) -> bool:
    """False for the capture of a cell, and for cells that the interpreter fills."""
    return access.endswith("cell") and not name.startswith(("__class", "."))


def _certain(uses: Iterable[_Use]) -> Iterator[tuple[str, int]]:
    """The uses that fail, without those that another copy of the same source does not share.

    The compiler copies the ends of functions, so that one `return x` may be several instructions.
    """
    every = list(uses)
    sound = {(use.name, use.span) for use in every if not use.fails}
    lines = {(use.name, use.span[0]) for use in every if not use.fails and not use.alone}
    for use in every:
        copied = (use.name, use.span) in sound or (use.name, use.span[0]) in lines
        if use.fails and not copied:
            yield use.name, use.offset


@cache
def _readers(version: str) -> tuple[bytes, bytes]:
    """By opcode: 1 if it reads or deletes a variable; 1 if it fails on one without a value."""
    rows = table(version).by_code
    users = bytes(row is not None and any(each in _CHECKED for each in row.access) for row in rows)
    checking = bytes(
        bool(user) and row is not None and row.raises and row.operand in ("local", "deref")
        for user, row in zip(users, rows, strict=True)
    )
    return users, checking


_CHECKED = ("read local", "delete local", "read cell", "delete cell")


def _may_be_unassigned(code: Code, accesses: Accesses) -> bool:
    """False if no instruction can find a local variable without a value; the flow is not read."""
    own = any(space == CELL and name in code.cellvars for _, space, name in _roots(accesses))
    opcodes = bytes(code.instructions.opcodes)
    if own:
        return True
    return any(opcodes.translate(_checking_locals(code.version)))


def _roots(accesses: Accesses) -> Iterator[tuple[str, str, str]]:
    for verb, space, path in accesses.variables:
        yield verb, space, path.partition(".")[0]


@cache
def _checking_locals(version: str) -> bytes:
    rows = table(version).by_code
    return bytes(
        bool(mark) and row is not None and row.operand == "local"
        for mark, row in zip(_readers(version)[1], rows, strict=True)
    )


def _written_inside(code: Code) -> set[str]:
    """Own cell variables that nested code assigns."""
    found: set[str] = set()
    if not code.cellvars:
        return found
    for inner in code.walk():
        if inner is not code and inner.freevars:
            for verb, space, name in accesses_of(inner).variables:
                if verb == "write" and space == CELL and name in code.cellvars:
                    found.add(name)
    return found
