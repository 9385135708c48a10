"""Exception table <-> protected regions (CPython 3.11 and later)."""

from __future__ import annotations

import re
from collections.abc import Iterable

from coscope.errors import CodeError, TruncatedTable
from coscope.model import Region

_START = 0x80  # marks the first byte of an entry
_MORE = 0x40  # another group of 6 bits follows
_GROUPS = 6  # of 6 bits hold every number of 32 bits


def decode_regions(table: bytes, *, name: str | None = None) -> list[Region]:
    """Decode `co_exceptiontable`.

    Args:
        table: Raw bytes. An entry is four varints of 6-bit groups, high group first: start,
            length and target in code units, then depth and lasti flag.
        name: Qualified name of the code object, for errors.

    Returns:
        Regions in table order, which is ascending by `start` in what the compiler writes.

    Raises:
        TruncatedTable: The bytes end inside an entry.
        CodeError: A number is longer than 32 bits.

    Source:
        CPython 3.14, InternalDocs/exception_handling.md, "Format of the exception table".

    >>> decode_regions(bytes([0x81, 0x02, 0x05, 0x03]))
    [Region(start=2, stop=6, target=10, depth=1, keeps_lasti=True)]
    """
    regions = []
    at, size = 0, len(table)
    numbers = [0, 0, 0, 0]
    while at < size:
        entry = at
        for place in range(4):
            first = at
            number = 0
            more = _MORE
            while more:
                if at == size or at - first == _GROUPS:
                    raise _unreadable(table, entry, first, name)
                byte = table[at]
                number = number << 6 | byte & 0x3F
                more = byte & _MORE
                at += 1
            numbers[place] = number
        start, length, target, depth_lasti = numbers
        # The table counts code units; the rest of this package counts bytes.
        stop = 2 * (start + length)
        lasti = bool(depth_lasti & 1)
        regions.append(Region(2 * start, stop, 2 * target, depth_lasti >> 1, lasti))
    return regions


def is_shortest(table: bytes) -> bool:
    """True if the table is what `encode_regions` writes: marked entries, no leading zero groups."""
    return _shortest(table) is not None


_shortest = re.compile(
    rb"(?:(?:[\x80-\xbf]|[\xc1-\xff][\x40-\x7f]*[\x00-\x3f])"
    rb"(?:[\x00-\x3f]|[\x41-\x7f][\x40-\x7f]*[\x00-\x3f]){3})*"
).fullmatch


def encode_regions(regions: Iterable[Region]) -> bytes:
    """Encode regions as `co_exceptiontable`, in the order given.

    The interpreter searches the table by bisection: regions must ascend and not overlap. That is
    the caller's to hold.

    Raises:
        CodeError: An offset is negative or odd, or a region ends before it starts.

    >>> encode_regions([Region(2, 6, 10, 1, True)]).hex()
    '81020503'
    """
    table = bytearray()
    for region in regions:
        start, stop, target, depth, lasti = region
        if min(start, stop - start, target, depth) < 0 or (start | stop | target) & 1:
            raise CodeError("not an encodable region", offset=start, found=region)
        first = len(table)
        for number in (start // 2, (stop - start) // 2, target // 2, depth << 1 | lasti):
            _write_varint(table, number)
        table[first] |= _START
    return bytes(table)


def _unreadable(table: bytes, entry: int, at: int, name: str | None) -> CodeError:
    """Why the number at `at` cannot be read."""
    if len(table) - at < _GROUPS:
        return TruncatedTable(
            f"the exception table ends inside the entry at its byte {entry}",
            code=name,
            found=f"{len(table)} bytes",
        )
    return CodeError(
        f"the exception table has a number of more than 32 bits at its byte {at}", code=name
    )


def _write_varint(table: bytearray, number: int) -> None:
    shift = 6 * max(0, (number.bit_length() - 1) // 6)
    for left in range(shift, 0, -6):
        table.append(number >> left & 0x3F | _MORE)
    table.append(number & 0x3F)
