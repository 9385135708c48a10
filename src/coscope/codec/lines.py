"""The line table of any version, chosen by the opcode table: spans, ranges and line starts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import repeat
from typing import overload

from coscope.codec.lnotab import Range, decode_lnotab, decode_ranges
from coscope.codec.locations import Row, decode_locations, rows_by_unit
from coscope.errors import InternalError
from coscope.model import Code, Span
from coscope.opcodes import Table, table


class Spans(Sequence[Span]):
    """Spans kept as plain rows; the `Span` itself is made when it is asked for."""

    __slots__ = ("_rows",)

    def __init__(self, rows: list[Row]) -> None:
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, index: int, /) -> Span: ...
    @overload
    def __getitem__(self, index: slice, /) -> list[Span]: ...
    def __getitem__(self, index: int | slice, /) -> Span | list[Span]:
        if isinstance(index, slice):
            return list(map(_span, repeat(Span), self._rows[index]))
        return _span(Span, self._rows[index])

    def __iter__(self) -> Iterator[Span]:
        return map(_span, repeat(Span), self._rows)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Spans):
            return self._rows == other._rows
        if isinstance(other, list):
            return list(self) == other
        return NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return repr(list(self))


_span = tuple.__new__  # Span's own __new__ takes longer


def decode_lines(code: Code) -> Spans:
    """Give each code unit its span, inline caches included.

    Returns:
        One span for each code unit that the table covers: in broken code fewer or more than the
        code has.

    Raises:
        TruncatedTable: The line table ends inside an entry.
        CodeError: The line table contradicts itself.
    """
    return Spans(decode_rows(code))


def decode_rows(code: Code) -> list[Row]:
    """Give each code unit the fields of its span; otherwise as `decode_lines`."""
    if table(code.version).lines == "locations":
        return rows_by_unit(code.linetable, code.firstlineno, name=code.qualname)
    rows: list[Row] = []
    for start, stop, line in line_ranges(code):
        rows += repeat((line, None, None, None), (stop + 1) // 2 - (start + 1) // 2)
    return rows


def line_ranges(code: Code) -> list[Range]:
    """Give (start, stop, line) in bytes, in the order of the code; line None: no line.

    The same information as `co_lines()` of that version. Neighbours may have the same line.

    Raises:
        TruncatedTable: The line table ends inside an entry.
        CodeError: The line table contradicts itself.
    """
    return _reader(table(code.version))(code)


def line_starts(code: Code) -> dict[int, int | None]:
    """Give the byte offsets at which a line starts, as `dis.findlinestarts` of that version.

    From 3.13, a run of code without a line is a start too, with line None.

    Raises:
        TruncatedTable: The line table ends inside an entry.
        CodeError: The line table contradicts itself.
    """
    return starts_of(decode_rows(code), table(code.version))


def starts_of(rows: list[Row], rules: Table) -> dict[int, int | None]:
    """Give the line starts of code whose units have these rows."""
    none_counts = bool(rules.numbers.get("none_starts_line", 0))
    starts: dict[int, int | None] = {}
    last: object = "nothing yet" if none_counts else None
    for unit, row in enumerate(rows):
        line = row[0]
        if line != last and (line is not None or none_counts):
            starts[2 * unit] = last = line
    return starts


def _lnotab(code: Code) -> list[Range]:
    return decode_lnotab(code.linetable, code.firstlineno, len(code.code), name=code.qualname)


def _ranges(code: Code) -> list[Range]:
    return decode_ranges(code.linetable, code.firstlineno, len(code.code), name=code.qualname)


def _locations(code: Code) -> list[Range]:
    ranges: list[Range] = []
    at = 0
    for units, span in decode_locations(code.linetable, code.firstlineno, name=code.qualname):
        ranges.append((at, at + 2 * units, span[0]))
        at += 2 * units
    return ranges


_READERS: dict[str, Callable[[Code], list[Range]]] = {
    "lnotab": _lnotab,
    "ranges": _ranges,
    "locations": _locations,
}


def _reader(rules: Table) -> Callable[[Code], list[Range]]:
    reader = _READERS.get(rules.lines)
    if reader is None:
        raise InternalError(f"table {rules.version}: no codec for lines = {rules.lines!r}")
    return reader
