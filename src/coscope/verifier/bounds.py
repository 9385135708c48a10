"""Which opargs an opcode takes: tables compiled once a version, for the checks of VER2xx."""

from __future__ import annotations

import re
from collections.abc import Container, Sequence
from functools import cache
from itertools import compress
from typing import NamedTuple

from coscope.opcodes import Opcode, Table, table
from coscope.verifier.subject import Subject

# Operands that are an index into a list of the table, and the name of the list.
_LISTS = {
    "compare": "compare",
    "binary": "binary",
    "intrinsic 1": "intrinsic_1",
    "intrinsic 2": "intrinsic_2",
    "convert": "convert",
    "special": "special",
    "common constant": "common_constants",
}
_HIGHEST = 1 << 31  # an oparg is a C int


class Accepted(NamedTuple):
    """What an oparg may be."""

    shift: int  # flag bits below the index
    indexes: Container[int]
    words: str  # for the message
    what: str


@cache
def operand_marks(version: str, *operands: str) -> bytes:
    """For `bytes.translate`: 1 for the opcodes whose oparg means one of these, else 0."""
    rows = table(version).by_code
    return bytes(row is not None and row.operand in operands for row in rows)


def beyond(subject: Subject, marks: bytes, limit: int, shift: int = 0) -> Sequence[int]:
    """Indexes of the marked instructions whose oparg is no index below the limit."""
    marked = subject.opcodes.translate(marks)
    opargs = subject.opargs
    if type(opargs) is bytes and max(compress(opargs, marked), default=-1) >> shift < limit:
        return ()
    return [
        index for index in compress(range(len(marked)), marked)
        if not 0 <= opargs[index] >> shift < limit
    ]  # fmt: skip


@cache
def accepted(version: str) -> tuple[Accepted | None, ...]:
    """By opcode number: what its oparg may be; None if that is no matter of a fixed table."""
    rules = table(version)
    return tuple(None if row is None else _accepted(rules, row) for row in rules.by_code)


@cache
def common_pairs(version: str) -> frozenset[tuple[int, int]]:
    """Pairs of an opcode with a bound and an oparg of one byte that it takes."""
    return frozenset(
        (opcode, oparg)
        for opcode, rule in enumerate(accepted(version))
        if rule is not None
        for oparg in range(256)
        if oparg >> rule.shift in rule.indexes
    )


@cache
def bounded_marks(version: str) -> bytes:
    """For `bytes.translate`: 1 for the opcodes whose oparg has a fixed bound."""
    return bytes(rule is not None for rule in accepted(version))


def _accepted(rules: Table, row: Opcode) -> Accepted | None:
    if row.bounds is not None:
        return Accepted(0, numbers(row.bounds), row.bounds, "oparg")
    name = _LISTS.get(row.operand)
    if name is None:
        return None
    items = rules.lists[name]
    shift = rules.numbers.get("compare_shift", 0) if name == "compare" else 0
    known = [
        index for index, item in enumerate(items)
        if item and item != "BAD" and not item.endswith("INVALID")
    ]  # fmt: skip
    return Accepted(shift, frozenset(known), f"{known[0]} to {known[-1]}", f"{row.operand} index")


def numbers(bounds: str) -> Container[int]:
    """Read a bound of the tables: "at least 1", "0 to 2", "2 or 3", "1, 2, 4 or 8".

    >>> 3 in numbers("0 to 2"), 8 in numbers("1, 2, 4 or 8")
    (False, True)
    """
    found = list(map(int, re.findall(r"\d+", bounds)))
    if bounds.startswith("at least "):
        return range(found[0], _HIGHEST)
    if " to " in bounds:
        return range(found[0], found[1] + 1)
    return frozenset(found)
