"""Names that raise NameError or UnboundLocalError if their use is reached."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from itertools import compress

from coscope.errors import CodeError
from coscope.facts.accesses import CELL, Accesses, accesses_of
from coscope.facts.dependency import Dependency, Failure, Reached, lines_at
from coscope.flow import build
from coscope.flow.domains.assigned import Assigned, assigned
from coscope.flow.effects import effect_of
from coscope.model import Code
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

    A global or cell that any of the reached code assigns may have a value by then, and so is
    not told; neither is a name of a class body, whose namespace a metaclass may have filled.
    """
    yield from _of_outer_names(list(rows))
    for reached, accesses in zip(codes, uses, strict=True):
        yield from _of_locals(reached, accesses)


def _of_outer_names(rows: list[Dependency]) -> Iterator[Failure]:
    written = {(row.kind == "cell", row.name) for row in rows if row.access == "write"}
    stars = {row.name for row in rows if row.access == "import" and row.name.endswith("*")}
    for row in rows:
        if (row.kind == "cell", row.root) in written or row.access not in ("read", "delete"):
            continue
        reason = None
        if row.kind == "cell" and row.empty:
            reason = _EMPTY
        elif row.kind == "unbound" and not stars:
            reason = _NOT_BOUND if row.access == "read" else _NO_GLOBAL
        if reason is not None:
            lines = lines_at(row.code, row.offsets)
            yield Failure(row.root, "NameError", reason, row.path, row.offsets, lines)


def _of_locals(reached: Reached, accesses: Accesses) -> Iterator[Failure]:
    code = reached.code
    if not code.flags & _OPTIMIZED or not _may_be_unassigned(code, accesses):
        return
    found: dict[str, list[int]] = {}
    try:
        domain, frames = assigned(build(code), _written_inside(code))
    except CodeError:
        return  # the flow of such code is not known, and so nothing of it is certain
    columns = code.instructions
    for index in compress(range(len(columns)), _uses_of_locals(columns.opcodes, code.version)):
        frame = frames[index]
        if frame is None:
            continue
        effect = effect_of(code.version, columns.opcodes[index], columns.opargs[index], False)
        for name in _unassigned(code, domain, domain.touched(effect), frame.locals):
            found.setdefault(name, []).append(columns.offsets[index])
    for name, offsets in found.items():
        at = tuple(offsets)
        lines = lines_at(code, at)
        yield Failure(name, "UnboundLocalError", _NO_VALUE, reached.path, at, lines)


def _unassigned(
    code: Code, domain: Assigned, touched: list[tuple[str, int]], bits: int
) -> Iterator[str]:
    """Names that an instruction, which checks them, finds without a value."""
    for access, bit in touched:
        if bits >> bit & 1 or access.split()[0] not in ("read", "delete"):
            continue
        name = domain.bits.get(bit)
        if name is None:
            yield code.varnames[bit]
        elif access.endswith("cell") and not name.startswith(("__class", ".")):
            yield name  # those of a class scope are filled by the interpreter


def _uses_of_locals(opcodes: Iterable[int], version: str) -> bytes:
    """1 for each instruction that fails on a variable without a value."""
    return bytes(opcodes).translate(_checking(version))


@cache
def _checking(version: str) -> bytes:
    return bytes(
        row is not None
        and row.raises
        and row.operand in ("local", "deref")
        and row.access[:1] in _CHECKED
        for row in table(version).by_code
    )


_CHECKED = (("read local",), ("delete local",), ("read cell",), ("delete cell",))


def _may_be_unassigned(code: Code, accesses: Accesses) -> bool:
    """False, told without the flow, where no local variable can be found without a value."""
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
        for mark, row in zip(_checking(version), rows, strict=True)
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
