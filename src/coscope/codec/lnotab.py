"""Line tables without columns: `co_lnotab` (to CPython 3.9) and `co_linetable` of 3.10."""

from __future__ import annotations

from coscope.errors import TruncatedTable

# First byte, byte after the last, line; in the order of the code.
Range = tuple[int, int, int | None]

_NO_LINE = -128  # 3.10: these bytes of code have no line


def decode_lnotab(
    table: bytes, firstlineno: int, size: int, *, name: str | None = None
) -> list[Range]:
    """Decode `co_lnotab` of 3.8 and 3.9: pairs of a byte delta and a signed line delta.

    Args:
        table: Raw bytes.
        firstlineno: `co_firstlineno`.
        size: Length of `co_code` in bytes; what lies behind it is dropped.
        name: Qualified name of the code object, for errors.

    Returns:
        Ranges that cover the whole code; neighbours may have the same line.

    Raises:
        TruncatedTable: A byte delta without a line delta.

    Source:
        CPython 3.9, Objects/lnotab_notes.txt.

    >>> decode_lnotab(bytes([0, 1, 8, 2, 4, 0xFF]), 10, 20)
    [(0, 8, 11), (8, 12, 13), (12, 20, 12)]
    """
    _check_pairs(table, name)
    ranges: list[Range] = []
    start = at = 0
    line = firstlineno
    for byte_delta, line_delta in zip(table[::2], table[1::2], strict=True):
        if byte_delta:
            at += byte_delta
            if at >= size:
                break
            ranges.append((start, at, line))
            start = at
        line += line_delta - 256 if line_delta >= 128 else line_delta
    if start < size:
        ranges.append((start, size, line))
    return ranges


def decode_ranges(
    table: bytes, firstlineno: int, size: int, *, name: str | None = None
) -> list[Range]:
    """Decode `co_linetable` of 3.10: pairs of a length in bytes and a signed line delta.

    Args:
        table: Raw bytes.
        firstlineno: `co_firstlineno`.
        size: Length of `co_code` in bytes; what lies behind it is dropped.
        name: Qualified name of the code object, for errors.

    Returns:
        Ranges in the order of the code, empty ones left out. Line None: no line.

    Raises:
        TruncatedTable: A length without a line delta.

    Source:
        CPython 3.10, Objects/lnotab_notes.txt.

    >>> decode_ranges(bytes([4, 1, 2, 0x80, 6, 0xFF]), 10, 12)
    [(0, 4, 11), (4, 6, None), (6, 12, 10)]
    """
    _check_pairs(table, name)
    ranges: list[Range] = []
    at = 0
    line = firstlineno
    for length, line_delta in zip(table[::2], table[1::2], strict=True):
        delta = line_delta - 256 if line_delta >= 128 else line_delta
        if delta != _NO_LINE:
            line += delta
        stop = min(at + length, size)
        if stop > at:
            ranges.append((at, stop, None if delta == _NO_LINE else line))
        at = stop
    return ranges


def _check_pairs(table: bytes, name: str | None) -> None:
    if len(table) % 2:
        raise TruncatedTable(
            "the line table ends inside an entry",
            code=name,
            expected="pairs of bytes",
            found=f"{len(table)} bytes",
        )
