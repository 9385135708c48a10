"""The source text under a position."""

from __future__ import annotations

from collections.abc import Sequence

from coscope.model import Span

MAX_CHARACTERS = 1000


def excerpt(lines: Sequence[str], span: Span | Sequence[int | None]) -> str | None:
    """Text between the two ends of a span, its line breaks kept; None if it cannot be had.

    Args:
        lines: Lines of the whole file, without line ends.
        span: Lines from 1, columns in UTF-8 bytes from 0, as `dis.Positions`.

    >>> excerpt(["x = é + 1"], Span(1, 1, 4, 10))
    'é + 1'
    """
    first, last, start, stop = span
    if first is None or last is None or start is None or stop is None:
        return None
    if not 1 <= first <= last <= len(lines) or last - first > MAX_CHARACTERS:
        return None
    if first == last:
        return piece(lines[first - 1], start, stop)[:MAX_CHARACTERS] or None
    middle = lines[first : last - 1]
    parts = [piece(lines[first - 1], start, None), *middle, piece(lines[last - 1], 0, stop)]
    return "\n".join(parts)[:MAX_CHARACTERS]


def piece(line: str, start: int, stop: int | None) -> str:
    """A line between two UTF-8 byte columns."""
    if line.isascii():
        return line[start:stop]
    return line.encode("utf-8", "surrogatepass")[start:stop].decode("utf-8", "replace")
