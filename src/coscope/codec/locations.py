"""Location table (`co_linetable` of CPython 3.11 and later) <-> spans with columns."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import accumulate
from typing import NamedTuple

from coscope.codec.runs import end_of_run
from coscope.errors import CodeError, TruncatedTable
from coscope.model import Span

# Forms of an entry, in bits 3 to 6 of its first byte; bits 0 to 2 hold code units - 1, bit 7 is
# set in first bytes only.
_SHORT = 0  # forms 0 to 9: same line, column below 80, at most 15 wide
_ONE_LINE = 10  # forms 10 to 12: 0 to 2 lines further down, columns below 128
_NO_COLUMNS = 13
_LONG = 14
_NONE = 15  # no position at all
_UNITS = 8  # the most that an entry can cover

# The same as first bytes: an entry has form F if F's byte <= first byte < the next form's byte.
_FROM_ONE_LINE = 0x80 | _ONE_LINE << 3
_FROM_NO_COLUMNS = 0x80 | _NO_COLUMNS << 3
_FROM_LONG = 0x80 | _LONG << 3
_FROM_NONE = 0x80 | _NONE << 3

# A whole table, so that its readers need no checks. Numbers have at most six groups of 6 bits.
_NUMBER = rb"[\x40-\x7f]{0,5}[\x00-\x3f]"
_ENTRY = (
    rb"(?:[\x80-\xcf][\x00-\x7f]|[\xd0-\xe7][\x00-\x7f]{2}|[\xe8-\xef]%b|[\xf0-\xf7](?:%b){4}"
    rb"|[\xf8-\xff])" % (_NUMBER, _NUMBER)
)
_end_of_entries = end_of_run(_ENTRY)

# By byte of a table: code units that the entry covers which starts there, 0 if none does.
_COVERS = bytes((byte & 7) + 1 if byte & 0x80 else 0 for byte in range(256))

# Line, end line, column, end column: the fields of a Span.
Row = tuple[int | None, int | None, int | None, int | None]
NOWHERE: Row = (None, None, None, None)


class Location(NamedTuple):
    """One entry of the table: a run of code units that share a span.

    Neighbours may have equal spans: an entry covers at most 8 code units, and the compiler starts
    a new one where it pleases.
    """

    units: int  # code units, caches included; 1 to 8
    span: Span


def decode_locations(table: bytes, firstlineno: int, *, name: str | None = None) -> list[Location]:
    """Decode `co_linetable`, keeping the compiler's entries apart.

    Args:
        table: Raw bytes.
        firstlineno: `co_firstlineno`, the line from which the first entry counts.
        name: Qualified name of the code object, for errors.

    Returns:
        Entries in the order of the code. Together they cover the code in what the compiler writes.

    Raises:
        TruncatedTable: The bytes end inside an entry.
        CodeError: There are bytes between entries, or a number is longer than 36 bits.

    Source:
        CPython 3.14, InternalDocs/code_objects.md, "Format of the locations table".

    >>> decode_locations(bytes([0x81, 0x2C]), 7)
    [Location(units=2, span=Span(lineno=7, end_lineno=7, col_offset=2, end_col_offset=14))]
    """
    rows = rows_by_unit(table, firstlineno, name=name)
    units = [(byte & 7) + 1 for byte in table if byte & 0x80]
    starts = accumulate(units, initial=0)
    return [
        Location(count, Span(*rows[start])) for count, start in zip(units, starts, strict=False)
    ]


def rows_by_unit(table: bytes, firstlineno: int, *, name: str | None = None) -> list[Row]:
    """Decode `co_linetable` to one row for each code unit that it covers.

    Rows are what `Span` holds, as plain tuples: to make a Span takes as long as to decode it.

    Raises:
        TruncatedTable: The bytes end inside an entry.
        CodeError: There are bytes between entries, or a number is longer than 36 bits.
    """
    _check(table, name)
    rows: list[Row] = []
    append = rows.append
    line = firstlineno
    read = iter(table)
    for first in read:
        if first < _FROM_ONE_LINE:
            low = next(read)
            column = first & 0x78 | low >> 4
            row: Row = (line, line, column, column + (low & 15))
        elif first < _FROM_NO_COLUMNS:
            line += (first - _FROM_ONE_LINE) >> 3
            row = (line, line, next(read), next(read))
        elif first >= _FROM_NONE:
            row = NOWHERE
        else:
            # Nearly every number has one group: below 0x40 the byte is the number.
            delta = next(read)
            if delta >= 0x40:
                delta = _number(delta, read)
            line += -(delta >> 1) if delta & 1 else delta >> 1
            if first < _FROM_LONG:
                row = (line, line, None, None)
            else:
                height = next(read)
                if height >= 0x40:
                    height = _number(height, read)
                # Columns count from 1 here; 0 means that the column is not known.
                column = next(read)
                if column >= 0x40:
                    column = _number(column, read)
                end = next(read)
                if end >= 0x40:
                    end = _number(end, read)
                row = (
                    line,
                    line + height,
                    column - 1 if column else None,
                    end - 1 if end else None,
                )
        if first & 7:
            rows += (row,) * ((first & 7) + 1)
        else:
            append(row)
    return rows


def covered_units(table: bytes) -> int | None:
    """Code units that the entries cover; None if the table is not a sequence of whole entries.

    >>> covered_units(bytes([0x81, 0x2C, 0xF8]))
    3
    """
    if _end_of_entries(table) != len(table):
        return None
    return sum(table.translate(_COVERS))


def _number(byte: int, read: Iterator[int]) -> int:
    """Go on with a number after its first byte: 6-bit groups, low group first."""
    number = byte & 0x3F
    shift = 0
    while byte & 0x40:
        byte = next(read)
        shift += 6
        number |= (byte & 0x3F) << shift
    return number


def _check(table: bytes, name: str | None) -> None:
    """Refuse a table that is not a sequence of whole entries."""
    end = _end_of_entries(table)
    if end == len(table):
        return
    rest = table[end:]
    covered = 2 * sum((byte & 7) + 1 for byte in table[:end] if byte & 0x80)
    # It ends inside an entry if, and only if, more bytes could complete it.
    if any(re.fullmatch(_ENTRY, rest + bytes(more)) for more in range(1, 5)):
        raise TruncatedTable(
            f"the location table ends inside the entry at its byte {end}",
            code=name,
            offset=covered,
            found=f"{len(table)} bytes",
        )
    raise CodeError(
        f"the location table has no entry at its byte {end}",
        code=name,
        offset=covered,
        found=rest[:8].hex(" "),
    )


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
    if not height:
        if column is None or end_column is None:
            table.append(0x80 | _NO_COLUMNS << 3 | units - 1)
            _write_signed(table, delta)
            return lineno
        if _write_short(table, units, delta, column, end_column):
            return lineno
    table.append(0x80 | _LONG << 3 | units - 1)
    _write_signed(table, delta)
    _write_varint(table, height)
    _write_varint(table, 0 if column is None else column + 1)
    _write_varint(table, 0 if end_column is None else end_column + 1)
    return lineno


def _write_short(table: bytearray, units: int, delta: int, column: int, end_column: int) -> bool:
    """Append an entry of two or three bytes for a range on one line; False if none holds it."""
    if min(column, end_column) < 0:
        raise ValueError
    if not delta and column < 80 and 0 <= end_column - column < 16:
        table.append(0x80 | (_SHORT + (column >> 3)) << 3 | units - 1)
        table.append((column & 7) << 4 | end_column - column)
        return True
    if 0 <= delta < 3 and column < 128 and end_column < 128:
        table.append(0x80 | (_ONE_LINE + delta) << 3 | units - 1)
        table.append(column)
        table.append(end_column)
        return True
    return False


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
