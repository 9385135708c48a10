"""Where in a source file something is."""

from __future__ import annotations

from typing import NamedTuple


class Span(NamedTuple):
    """Source range of one instruction; the fields and order of `dis.Positions`.

    Lines count from 1, columns are UTF-8 byte offsets from 0. None where the version or the
    table says nothing: before 3.11 only `lineno` is known.
    """

    lineno: int | None = None
    end_lineno: int | None = None
    col_offset: int | None = None
    end_col_offset: int | None = None


NOWHERE = Span()
