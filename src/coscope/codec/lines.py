"""The line table of any version, chosen by the opcode table: spans, ranges and line starts."""

from __future__ import annotations

from collections.abc import Callable
from itertools import repeat

from coscope.codec.lnotab import Range, decode_lnotab, decode_ranges
from coscope.codec.locations import decode_locations, spans_by_unit
from coscope.errors import InternalError
from coscope.model import Code, Span
from coscope.opcodes import Table, table


def decode_lines(code: Code) -> list[Span]:
    """Give each code unit its span, inline caches included.

    Returns:
        One span for each code unit that the table covers: in broken code fewer or more than the
        code has.

    Raises:
        TruncatedTable: The line table ends inside an entry.
        CodeError: The line table contradicts itself.
    """
    rules = table(code.version)
    if rules.lines == "locations-3.11":
        return spans_by_unit(code.linetable, code.firstlineno, name=code.qualname)
    spans: list[Span] = []
    for start, stop, line in line_ranges(code):
        spans += repeat(Span(line), (stop + 1) // 2 - (start + 1) // 2)
    return spans


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
    return starts_of(decode_lines(code), table(code.version))


def starts_of(spans: list[Span], rules: Table) -> dict[int, int | None]:
    """Give the line starts of code whose units have these spans."""
    none_counts = bool(rules.numbers.get("none_starts_line", 0))
    starts: dict[int, int | None] = {}
    last: object = "nothing yet" if none_counts else None
    for unit, span in enumerate(spans):
        line = span[0]
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
    "lnotab-3.8": _lnotab,
    "ranges-3.10": _ranges,
    "locations-3.11": _locations,
}


def _reader(rules: Table) -> Callable[[Code], list[Range]]:
    reader = _READERS.get(rules.lines)
    if reader is None:
        raise InternalError(f"table {rules.version}: no codec for lines = {rules.lines!r}")
    return reader
