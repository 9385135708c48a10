"""Which instructions of a code object an edit is about."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from coscope.codec.constants import constant_text
from coscope.errors import NothingSelected, hidden_for
from coscope.model import Code, Instructions
from coscope.opcodes import Table, table
from coscope.patcher.edits.callees import calls_of
from coscope.patcher.edits.model import Where

__tracebackhide__ = hidden_for


class Use(NamedTuple):
    """One instruction."""

    number: int  # in the listing: prefixes not counted
    at: int  # its index in `Code.instructions`


def instructions_of(code: Code) -> list[Use]:
    """Every instruction that is not a prefix of another."""
    columns = code.instructions
    prefix = table(code.version).extended_arg
    last = len(columns) - 1
    indexes = [
        index
        for index, opcode in enumerate(columns.opcodes)
        if opcode != prefix or index == last  # a prefix of nothing
    ]
    return [Use(number, index) for number, index in enumerate(indexes)]


def choose(code: Code, where: Where, among: list[Use] | None = None) -> list[Use]:
    """The instructions that a `Where` chooses, in code order; maybe none."""
    found = instructions_of(code) if among is None else among
    for meets in _conditions(code, where):
        found = [use for use in found if meets(use)]
    if where.nth is not None:
        found = found[where.nth : where.nth + 1 or None]
    return found


def _conditions(code: Code, where: Where) -> Iterator[Callable[[Use], bool]]:
    """What a `Where` asks of each instruction, `nth` left out."""
    columns = code.instructions
    if where.opname is not None:
        yield lambda use: columns.opname(use.at) == where.opname
    if where.line is not None:
        positions = columns.positions
        yield lambda use: positions[use.at][0] == where.line
    if where.offset is not None:
        yield lambda use: where.offset in _offsets(columns, use.at)
    if where.calls is not None:
        called = calls_of(code, where.calls)
        yield lambda use: use.at in called
    if where.name is not None:
        rules = table(code.version)
        yield lambda use: where.name in names_of(columns, use.at, rules)


def require(code: Code, where: Where) -> list[Use]:
    """As `choose`.

    Raises:
        NothingSelected: It chooses none.
    """
    found = choose(code, where)
    if not found:
        raise NothingSelected(
            f"no instruction is chosen by {where}",
            code=code.qualname,
            line=where.line,
            hint=_lines(code) if where.line is not None else None,
        )
    return found


def names_of(columns: Instructions, index: int, rules: Table) -> tuple[str, ...]:
    """What the oparg names: globals, attributes, locals, cells."""
    row = rules.by_code[columns.opcodes[index]]
    if row is None or not row.operand.startswith(("name", "local", "deref")):
        return ()
    value = columns.argval(index)
    names = value if type(value) is tuple else (value,)
    return tuple(name for name in names if type(name) is str)


def shown(code: Code, index: int) -> str:
    """An instruction for a message: its line, opcode and argument."""
    columns = code.instructions
    value = columns.argrepr(index)
    line = columns.positions[index][0]
    text = f"{columns.opname(index)} {value}".strip()
    return f"{text[:60]} at line {line}" if line is not None else text[:60]


def short(value: object) -> str:
    """A constant for a message."""
    text = constant_text(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _offsets(columns: Instructions, index: int) -> range:
    """The offsets by which an instruction may be meant: its own and those of its prefixes."""
    prefix = table(columns.code.version).extended_arg
    first = index
    while first and columns.opcodes[first - 1] == prefix:
        first -= 1
    return range(columns.offsets[first], columns.offsets[index] + 1, 2)


def _lines(code: Code) -> str:
    lines = {span[0] for span in code.instructions.positions if span[0] is not None}
    if not lines:
        return "The code has no lines."
    return f"Its lines are {min(lines)} to {max(lines)}."
