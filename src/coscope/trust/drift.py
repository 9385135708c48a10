"""Known drift: what releases with one magic number compile differently, as data in drift/*.toml.

A pattern says exactly what may differ; everything else must be the same, so that nothing can hide
behind it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from functools import cache
from importlib import resources
from typing import NamedTuple

from coscope.errors import CoscopeError
from coscope.model import Code, Span
from coscope.trust.hiding import rooms
from coscope.trust.places import key_of
from coscope.trust.rows import Row, rows_of, without


class Drift(NamedTuple):
    """One pattern."""

    name: str
    what: str
    releases: str  # which of them do what
    issue: str  # of CPython
    optional: str = ""  # opcode that one side may lack
    before: tuple[str, ...] = ()  # where one of these follows, with the same positions; (): any
    positions: tuple[str, ...] = ()  # opcodes of whose spans one may enclose the other, or be empty
    guards: tuple[str, ...] = ()  # opcodes that may be protected or not
    null: str = ""  # opcode that may push a NULL before a load and an attribute,
    attribute: str = ""  # instead of this opcode doing it: the lowest bit of its argument


@cache
def drifts_of(version: str) -> tuple[Drift, ...]:
    """The patterns of a version."""
    file = resources.files("coscope.trust").joinpath("drift", f"cpython-{version}.toml")
    try:
        held = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return ()
    return tuple(map(_drift, held["drift"]))


def _drift(fields: dict[str, str | list[str]]) -> Drift:
    texts = {name: held for name, held in fields.items() if isinstance(held, str)}
    lists = {name: tuple(held) for name, held in fields.items() if isinstance(held, list)}
    return Drift(**texts, **lists)  # type: ignore[arg-type]


def explained(code: Code, other: Code) -> list[Drift]:
    """The patterns that explain every difference of two modules; none if one is left.

    Args:
        code: Of the bytecode.
        other: What a release that is here makes of the source.
    """
    known = drifts_of(code.version)
    if not known or rooms(code, other, ""):
        return []
    used: dict[str, Drift] = {}
    pending = [(code, other)]
    while pending:
        left, right = pending.pop()
        nested = _nested(left), _nested(right)
        if [each.name for each in nested[0]] != [each.name for each in nested[1]]:
            return []
        pending += zip(*nested, strict=True)
        found = _of_pair(left, right, known)
        if found is None:
            return []
        used |= {each.name: each for each in found}
    return list(used.values())


def _nested(code: Code) -> list[Code]:
    return [each for each in code.consts if isinstance(each, Code)]


_FIELDS = (
    *("name", "qualname", "filename", "firstlineno", "argcount", "posonlyargcount"),
    *("kwonlyargcount", "nlocals", "stacksize", "flags", "names", "varnames", "cellvars"),
    *("freevars", "localsplusnames", "localspluskinds"),
)


def _of_pair(left: Code, right: Code, known: Sequence[Drift]) -> list[Drift] | None:
    """The patterns that one pair needs; None if they do not suffice."""
    if any(getattr(left, name) != getattr(right, name) for name in _FIELDS):
        return None
    consts = tuple(
        [None if isinstance(each, Code) else key_of(each) for each in code.consts]
        for code in (left, right)
    )
    if consts[0] != consts[1]:
        return None
    raw = [(each.code, each.linetable, each.exceptiontable) for each in (left, right)]
    if raw[0] == raw[1]:
        return []
    try:
        rows = rows_of(left), rows_of(right)
    except CoscopeError:
        return None
    for chosen in (*([each] for each in known), list(known)):
        if _same(*rows, chosen):
            return chosen
    return None


def _same(left: list[Row], right: list[Row], chosen: Sequence[Drift]) -> bool:
    """True if the rows are the same but for what the patterns allow."""
    for each in chosen:
        if each.optional:
            left, right = (_without_optional(rows, each) for rows in (left, right))
        if each.null:
            left, right = (_with_methods(rows, each) for rows in (left, right))
    free = {op for each in chosen for op in each.guards}
    moving = {op for each in chosen for op in each.positions}
    return len(left) == len(right) and all(
        one.op == other.op
        and one.arg == other.arg
        and one.target == other.target
        and (one.handler == other.handler or one.op in free)
        and (one.span == other.span or (one.op in moving and _encloses(one.span, other.span)))
        for one, other in zip(left, right, strict=True)
    )


def _without_optional(rows: list[Row], drift: Drift) -> list[Row]:
    dropped = {
        at
        for at, row in enumerate(rows[:-1])
        if row.op == drift.optional
        and (not drift.before or rows[at + 1].op in drift.before)
        and (not drift.before or row.span == rows[at + 1].span)
    }
    return without(rows, dropped)


def _with_methods(rows: list[Row], drift: Drift) -> list[Row]:
    """A NULL that is pushed before the object of an attribute, pushed by the attribute instead."""
    rows = list(rows)
    dropped = set()
    for at in range(len(rows) - 2):
        attribute = rows[at + 2]
        null = rows[at].op == drift.null and rows[at + 1].op.startswith("LOAD_")
        named = null and attribute.op == drift.attribute
        if named and attribute.arg is not None and not attribute.arg & 1:
            rows[at + 2] = attribute._replace(arg=attribute.arg | 1)
            dropped.add(at)
    return without(rows, dropped)


_NEAR = 50  # lines of one expression


def _encloses(one: Span, other: Span) -> bool:
    """True if one of two spans encloses the other, or is empty at the start of its line."""
    if (0, 0) in (one[2:], other[2:]) and one.lineno is not None and other.lineno is not None:
        return abs(one.lineno - other.lineno) <= _NEAR
    ends = []
    for span in (one, other):
        lineno, end_lineno, column, end_column = span
        if lineno is None or end_lineno is None or column is None or end_column is None:
            return False
        ends.append(((lineno, column), (end_lineno, end_column)))
    (start, stop), (first, last) = ends
    return (start <= first and last <= stop) or (first <= start and stop <= last)
