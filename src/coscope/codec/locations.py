"""Location table (`co_linetable` of CPython 3.11 and later) <-> spans with columns."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import repeat
from typing import NamedTuple

from coscope.errors import CodeError, TruncatedTable
from coscope.model import Span

# Forms of an entry, in bits 3 to 6 of its first byte; bits 0 to 2 hold code units - 1.
_SHORT = 10  # forms 0 to 9: same line, column below 80, at most 15 wide
_ONE_LINE = 13  # forms 10 to 12: 0 to 2 lines further down, columns below 128
_NO_COLUMNS = 13
_LONG = 14
_NONE = 15  # no position at all
_UNITS = 8  # the most that an entry can cover
_GROUPS = 6  # of 6 bits hold every number of 32 bits

_NOWHERE = Span()

# Only the first byte of an entry has its high bit set.
_split = re.compile(rb"[\x80-\xff][\x00-\x7f]*").findall


class Location(NamedTuple):
    """One entry of the table: a run of code units that share a span.

    Neighbours may have equal spans: an entry covers at most 8 code units, and the compiler starts
    a new one where it pleases.
    """

    units: int  # code units, caches included; 1 to 8
    span: Span


# An entry read on its own: code units, line delta (None: no position), lines spanned, columns.
_Entry = tuple[int, int | None, int, int | None, int | None]


class _Entries(dict[bytes, _Entry]):
    """Entries by their bytes. Code repeats them so much that reading each once is enough."""

    LIMIT = 1 << 16  # entries kept, so that hostile tables cannot fill memory

    def __missing__(self, raw: bytes) -> _Entry:
        entry = _read_entry(raw)
        if len(self) >= self.LIMIT:
            self.clear()
        if len(raw) <= 16:
            self[raw] = entry
        return entry


_entries = _Entries()


def decode_locations(table: bytes, firstlineno: int, *, name: str | None = None) -> list[Location]:
    """Decode `co_linetable`, keeping the compiler's entries apart.

    Args:
        table: Raw bytes.
        firstlineno: `co_firstlineno`, the line from which the first entry counts.
        name: Qualified name of the code object, for errors.

    Returns:
        Entries in the order of the code. Together they cover the code in what the compiler writes.

    Raises:
        TruncatedTable: An entry is too short.
        CodeError: Bytes are left over, or a number is longer than 32 bits.

    Source:
        CPython 3.14, InternalDocs/code_objects.md, "Format of the locations table".

    >>> decode_locations(bytes([0x80 | 0 << 3 | 1, 0x2C]), 7)
    [Location(units=2, span=Span(lineno=7, end_lineno=7, col_offset=2, end_col_offset=14))]
    """
    units, spans = _columns(table, firstlineno, name)
    return list(map(Location, units, spans))


def spans_by_unit(table: bytes, firstlineno: int, *, name: str | None = None) -> list[Span]:
    """Decode `co_linetable` to one span for each code unit that it covers.

    Raises:
        TruncatedTable: An entry is too short.
        CodeError: Bytes are left over, or a number is longer than 32 bits.
    """
    spans: list[Span] = []
    for units, span in zip(*_columns(table, firstlineno, name), strict=True):
        spans += repeat(span, units)
    return spans


def _columns(table: bytes, firstlineno: int, name: str | None) -> tuple[list[int], list[Span]]:
    """Lengths in code units, and spans, of all entries."""
    raws = _split(table)
    if table and not table[0] & 0x80:
        raise CodeError("the location table does not begin with an entry", code=name)
    lengths: list[int] = []
    spans: list[Span] = []
    line = firstlineno
    make = tuple.__new__
    try:
        for units, delta, height, column, end_column in map(_entries.__getitem__, raws):
            lengths.append(units)
            if delta is None:
                spans.append(_NOWHERE)
                continue
            line += delta
            spans.append(make(Span, (line, line + height, column, end_column)))
    except CodeError as error:
        error.code, error.offset = name, 2 * sum(lengths)
        raise
    return lengths, spans


def encode_locations(locations: Iterable[Location], firstlineno: int) -> bytes:
    """Encode entries as `co_linetable`, each in the form that the compiler would choose.

    An entry of more than 8 code units is split as the compiler splits a long instruction.

    Args:
        locations: `Location`s, or pairs of code units and span.
        firstlineno: `co_firstlineno`.

    Raises:
        CodeError: A column without a line, or a negative number.

    Source:
        CPython 3.14, Python/assemble.c, write_location_info_entry.
    """
    table = bytearray()
    line = firstlineno
    at = 0  # code units
    for units, span in locations:
        try:
            while units > _UNITS:
                line = _write_entry(table, _UNITS, span, line)
                units -= _UNITS
                at += _UNITS
            line = _write_entry(table, units, span, line)
        except ValueError:
            raise CodeError("not an encodable location", offset=2 * at, found=span) from None
        at += units
    return bytes(table)


def _write_entry(table: bytearray, units: int, span: Span, line: int) -> int:
    """Append one entry; give the line from which the next one counts."""
    if units < 1:
        raise ValueError
    lineno, end_lineno, column, end_column = span
    if lineno is None:
        table.append(0x80 | _NONE << 3 | units - 1)
        return line
    delta = lineno - line
    height = 0 if end_lineno is None else end_lineno - lineno
    if column is None or end_column is None:
        if not height:
            table.append(0x80 | _NO_COLUMNS << 3 | units - 1)
            _write_signed(table, delta)
            return lineno
    elif not height:
        if not delta and column < 80 and 0 <= end_column - column < 16:
            table.append(0x80 | column >> 3 << 3 | units - 1)
            table.append((column & 7) << 4 | end_column - column)
            return lineno
        if 0 <= delta < 3 and column < 128 and end_column < 128:
            table.append(0x80 | _SHORT + delta << 3 | units - 1)
            table.append(column)
            table.append(end_column)
            return lineno
    table.append(0x80 | _LONG << 3 | units - 1)
    _write_signed(table, delta)
    _write_varint(table, height)
    _write_varint(table, 0 if column is None else column + 1)
    _write_varint(table, 0 if end_column is None else end_column + 1)
    return lineno


def _write_varint(table: bytearray, number: int) -> None:
    """Append 6-bit groups, low group first."""
    if number < 0:
        raise ValueError
    while number >= 0x40:
        table.append(0x40 | number & 0x3F)
        number >>= 6
    table.append(number)


def _write_signed(table: bytearray, number: int) -> None:
    _write_varint(table, number << 1 if number >= 0 else -number << 1 | 1)


def _read_entry(raw: bytes) -> _Entry:
    """Read the bytes of one entry, all of them."""
    form = raw[0] >> 3 & 15
    units = (raw[0] & 7) + 1
    if form == _NONE:
        numbers: list[int] = []
        wanted = 0
    elif form < _ONE_LINE:
        wanted = 1 if form < _SHORT else 2
        numbers = list(raw[1:])
    else:
        wanted = 1 if form == _NO_COLUMNS else 4
        numbers = _varints(raw)
    if len(numbers) < wanted:
        raise TruncatedTable("the location table ends inside an entry", found=raw.hex(" "))
    if len(numbers) > wanted or (form == _NONE and len(raw) > 1):
        raise CodeError("the location table has bytes left over", found=raw[:16].hex(" "))
    if form == _NONE:
        return units, None, 0, None, None
    if form < _SHORT:
        column = form << 3 | numbers[0] >> 4
        return units, 0, 0, column, column + (numbers[0] & 15)
    if form < _ONE_LINE:
        return units, form - _SHORT, 0, numbers[0], numbers[1]
    delta = -(numbers[0] >> 1) if numbers[0] & 1 else numbers[0] >> 1
    if form == _NO_COLUMNS:
        return units, delta, 0, None, None
    return (
        units,
        delta,
        numbers[1],
        numbers[2] - 1 if numbers[2] else None,
        (numbers[3] - 1 if numbers[3] else None),
    )


def _varints(raw: bytes) -> list[int]:
    """The numbers after the first byte: 6-bit groups, low group first."""
    numbers = []
    number = shift = 0
    for byte in raw[1:]:
        number |= (byte & 0x3F) << shift
        shift += 6
        if not byte & 0x40:
            numbers.append(number)
            number = shift = 0
        elif shift >= 6 * _GROUPS:
            raise CodeError("the location table has a number of more than 32 bits")
    if shift:
        raise TruncatedTable("the location table ends inside a number", found=raw.hex(" "))
    return numbers
