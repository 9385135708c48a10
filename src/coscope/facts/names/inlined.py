"""Comprehensions that the compiler inlined into the code around them (PEP 709, 3.12+)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from coscope.facts.names.uses import SlotUse, uses_of
from coscope.model import Code, Span

_KINDS = {
    "BUILD_LIST": "list comprehension",
    "BUILD_SET": "set comprehension",
    "BUILD_MAP": "dict comprehension",
}
_BETWEEN = ("SWAP", "COPY", "MAKE_CELL", "EXTENDED_ARG", "NOP")


@dataclass(frozen=True, slots=True)
class Inlined:
    """One comprehension that has no code object of its own."""

    kind: str  # "list comprehension", ...; "comprehension" if the code does not show it
    names: tuple[str, ...]  # variables that it hides, those of comprehensions inside it too
    offset: int  # byte offset of its first instruction, which saves a hidden variable
    span: Span  # source range of the whole comprehension


def inlined_comprehensions(code: Code) -> tuple[Inlined, ...]:
    """The inlined comprehensions of a code object, in code order, nested ones too.

    They are found by the instructions that save and clear the variables that they hide: one
    uninterrupted run of these for each comprehension.

    Raises:
        CodeError: The bytes are not an instruction sequence of their version.

    Source:
        CPython 3.13.0, Python/compile.c, push_inlined_comprehension_state.
    """
    return tuple(_comprehension(code, run) for run in _runs(code))


def _runs(code: Code) -> Iterator[list[SlotUse]]:
    """Runs of instructions that save variables; a saved cell's MAKE_CELL belongs to its run."""
    run: list[SlotUse] = []
    stop = -1  # byte offset after the run so far
    for found in uses_of(code):
        verb = found.use.access.split()[0]
        if verb not in ("save", "make"):
            continue
        if run and not _adjoins(code, stop, found.use.offset):
            yield run
            run = []
        if verb == "save":
            run.append(found)
        if run:
            stop = code.instructions.at(found.use.offset).end_offset
    if run:
        yield run


def _adjoins(code: Code, stop: int, offset: int) -> bool:
    """True if nothing but EXTENDED_ARG lies between two byte offsets."""
    columns = code.instructions
    while stop < offset:
        instruction = columns.at(stop)
        if instruction.opname != "EXTENDED_ARG":
            return False
        stop = instruction.end_offset
    return True


def _comprehension(code: Code, run: list[SlotUse]) -> Inlined:
    columns = code.instructions
    first = columns.at(run[0].use.offset)
    at = columns.at(run[-1].use.offset).index + 1
    while at < len(columns) and columns.opname(at) in _BETWEEN:
        at += 1
    kind = _KINDS.get(columns.opname(at)) if at < len(columns) else None
    return Inlined(
        kind=kind or "comprehension",
        # In a class body the implicit argument `.0` is saved too; no source names it.
        names=tuple(dict.fromkeys(f.name for f in run if not f.name.startswith("."))),
        offset=first.offset,
        span=first.positions,
    )
