"""The namedtuples that a module makes at its top level, and their fields."""

from __future__ import annotations

from collections.abc import Mapping

from coscope.audits.subject.names import callee_of, module_bindings
from coscope.audits.subject.subject import Subject, Unit

_MAKERS = frozenset({"collections.namedtuple", "namedtuple"})


def named_tuples_of(unit: Unit) -> Mapping[str, frozenset[str]]:
    """`Point = namedtuple("Point", "x y")`: the fields by name; only names that are bound once."""
    return unit.fact(_named_tuples)


def _named_tuples(unit: Unit) -> dict[str, frozenset[str]]:
    if unit.code is None or "namedtuple" not in unit.code.names:
        return {}
    subject = Subject(unit.code, unit)
    columns, opnames = subject.instructions, subject.opnames
    bound = unit.fact(module_bindings)
    found = {}
    for call in subject.calls:
        if callee_of(subject, call) not in _MAKERS or len(call.positional) != 2 or call.keywords:
            continue
        at = call.index + 1
        if at < len(opnames) and opnames[at] == "STORE_NAME" and bound.get(columns.argval(at)) == 1:
            fields = _fields(subject, call.positional[1])
            if fields:
                found[str(columns.argval(at))] = fields
    return found


def _fields(subject: Subject, made_by: frozenset[int]) -> frozenset[str]:
    index = min(made_by)
    row = subject.rules.by_code[subject.instructions.opcodes[index]] if index >= 0 else None
    held = subject.instructions.argval(index) if row and row.operand == "const" else None
    if type(held) is str:
        return frozenset(held.replace(",", " ").split())
    if isinstance(held, tuple):
        return frozenset(each for each in held if type(each) is str)
    return frozenset()
