"""What rules about loops share: what a round executes, and whose attribute an instruction reads."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from coscope.audits.subject.loops import LoopFacts
from coscope.audits.subject.subject import Subject

_READS = {
    "read local": "local",
    "read cell": "cell",
    "read global": "global",
    "read name": "global",
    "read name or global": "global",
}
LOADS = frozenset({"LOAD_ATTR", "LOAD_METHOD"})


class Access(NamedTuple):
    """An attribute of what one name holds, read or stored."""

    at: int  # index of the instruction
    kind: str  # of the name: "local", "cell" or "global"
    name: str
    attribute: str


def hot_loop(subject: Subject, index: int) -> LoopFacts | None:
    """The innermost loop of an instruction, if each of its rounds executes it; else None.

    A loop at module or class level runs once, and one that awaits waits for something: nanoseconds
    count in neither.
    """
    if _runs_once(subject):
        return None
    loop = subject.loop_at(index)
    if loop is None or index not in loop.every_round:
        return None
    return None if _waits(subject, loop, _AWAITS) else loop


def _runs_once(subject: Subject) -> bool:
    kind, parent = subject.code.kind, subject.parent
    if kind.endswith("comprehension") and parent is not None:  # to 3.11 code of its own
        kind = parent.kind
    return kind in ("module", "class body")


def tight_loop(subject: Subject, index: int) -> LoopFacts | None:
    """As `hot_loop`, if a round is so short that a few nanoseconds count: no loop and no call in
    it, few instructions, and nothing done elsewhere between two rounds."""
    loop = hot_loop(subject, index)
    if loop is None or loop.inner or len(loop.indexes) > _TIGHT:
        return None
    rows, opcodes = subject.rules.by_code, subject.instructions.opcodes
    for at in loop.indexes:
        row = rows[opcodes[at]]
        if row is not None and row.shows == "{call}":
            return None
    return None if _waits(subject, loop, _YIELDS) else loop


_TIGHT = 60  # instructions
_AWAITS = frozenset({"SEND", "YIELD_FROM"})
_YIELDS = frozenset({"YIELD_VALUE"})


def _waits(subject: Subject, loop: LoopFacts, opnames: frozenset[str]) -> bool:
    rows = subject.rules.opcodes
    wanted = {rows[name].code for name in opnames if name in rows}
    opcodes = subject.instructions.opcodes
    return any(opcodes[at] in wanted for at in loop.indexes)


def name_before(subject: Subject, index: int) -> tuple[str, str] | None:
    """Kind and name of the variable whose value is on top before an instruction; None if it is
    no variable's, or not for certain."""
    columns = subject.instructions
    at = index - 1
    if at >= 0 and subject.opnames[at] in _MOVES:  # `x.a += 1`
        found = _maker(subject, index)
        if found is None:
            return None
        at = found
    row = subject.rules.by_code[columns.opcodes[at]] if at >= 0 else None
    if row is None or not row.access or row.access[-1] not in _READS:
        return None
    if row.operand == "name>>1" and columns.opargs[at] & 1:
        return None  # LOAD_GLOBAL that pushes NULL for a call
    name = columns.argval(at)
    name = name[-1] if isinstance(name, tuple) else name
    return (_READS[row.access[-1]], name) if type(name) is str else None


_MOVES = frozenset({"COPY", "DUP_TOP", "SWAP", "ROT_TWO"})


def _maker(subject: Subject, index: int) -> int | None:
    """The one instruction that made what is on top before another; copies are followed."""
    taken = subject.takers.get(index)
    for _ in range(4):
        if taken is None or not taken[1] or len(taken[1][-1]) != 1:
            return None
        (made,) = taken[1][-1]
        if made < 0 or subject.rules.by_code[subject.instructions.opcodes[made]] is None:
            return None
        if subject.opnames[made] not in _MOVES:
            pair = isinstance(subject.instructions.argval(made), tuple)
            return None if pair else made
        taken = subject.takers.get(made)
    return None


def accesses(subject: Subject, *opnames: str, of: frozenset[str] | None = None) -> Iterator[Access]:
    """Attributes of plain names that instructions with these opcodes read or store, in order.

    Args:
        subject: The code.
        opnames: Of the instructions.
        of: Names of the attributes that are looked for; None: all.
    """
    columns = subject.instructions
    for index in subject.where(*opnames):
        attribute = columns.argval(index)
        if of is not None and attribute not in of:
            continue
        found = name_before(subject, index)
        if found is not None and type(attribute) is str:
            yield Access(index, *found, attribute)


def stored_locals(subject: Subject, loop: LoopFacts) -> frozenset[str]:
    """The locals that a loop assigns or deletes."""
    columns, rows = subject.instructions, subject.rules.by_code
    found: set[str] = set()
    for index in loop.indexes:
        row = rows[columns.opcodes[index]]
        if row is None or not any(each in _CHANGES for each in row.access):
            continue
        names = columns.argval(index)
        held = names if isinstance(names, tuple) else (names,)
        found.update(
            name for name, access in zip(held, row.access, strict=False) if access in _CHANGES
        )
    return frozenset(found)


_CHANGES = frozenset({"write local", "delete local", "write cell", "delete cell"})


def shared_names(subject: Subject) -> frozenset[str]:
    """The names that a method and the body of its class both use."""
    parent = subject.parent
    return frozenset() if parent is None else frozenset(parent.names) & set(subject.code.names)


def first_parameter(subject: Subject) -> str | None:
    """The first parameter of a method: code that stands in a class body; else None."""
    parent = subject.parent
    if parent is None or parent.kind != "class body" or not subject.code.argcount:
        return None
    return subject.code.varnames[0]
