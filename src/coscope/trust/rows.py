"""The instructions of a code object as rows that can be compared whatever their offsets are."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from coscope.codec import decode_regions
from coscope.model import Code, Region, Span
from coscope.opcodes import table


class Handler(NamedTuple):
    """What protects a row."""

    target: int  # row
    depth: int  # stack slots kept
    keeps_lasti: bool


class Row(NamedTuple):
    """One instruction, without EXTENDED_ARG."""

    op: str
    arg: int | None  # None for a jump
    target: int | None  # row to which it jumps
    handler: Handler | None
    span: Span


def rows_of(code: Code) -> list[Row]:
    """The rows of a code object.

    Raises:
        CodeError: It is no instruction sequence of its version, or its tables are damaged.
    """
    columns = code.instructions
    wide = {at for at in range(len(columns)) if columns.opname(at) == "EXTENDED_ARG"}
    numbers: dict[int, int] = {}  # of the row, by byte offset
    kept: list[int] = []
    for at, offset in enumerate(columns.offsets):
        numbers[offset] = len(kept)
        if at not in wide:
            kept.append(at)
    numbers[len(code.code)] = len(kept)
    blocks = table(code.version).exceptions == "block stack"
    regions = [] if blocks else decode_regions(code.exceptiontable, name=code.qualname)
    spans = columns.positions
    found = []
    for at in kept:
        target = columns.jump_target(at)
        found.append(
            Row(
                columns.opname(at),
                columns.arg(at) if target is None else None,
                None if target is None else numbers.get(target, -1),
                _handler(regions, columns.offsets[at], numbers),
                spans[at],
            )
        )
    return found


def _handler(regions: list[Region], offset: int, numbers: dict[int, int]) -> Handler | None:
    for each in regions:
        if each.start <= offset < each.stop:
            return Handler(numbers.get(each.target, -1), each.depth, each.keeps_lasti)
    return None


def without(rows: list[Row], dropped: Collection[int]) -> list[Row]:
    """The rows without some; what led to one of these leads to the row after it."""
    if not dropped:
        return rows
    numbers = []
    count = 0
    for at in range(len(rows) + 1):
        numbers.append(count)
        count += at not in dropped
    found = []
    for at, row in enumerate(rows):
        if at in dropped:
            continue
        target = row.target if row.target is None or row.target < 0 else numbers[row.target]
        handler = row.handler
        if handler is not None and handler.target >= 0:
            handler = handler._replace(target=numbers[handler.target])
        found.append(row._replace(target=target, handler=handler))
    return found
