"""Sizes, long texts and who uses a variable, as several results show them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from coscope.facts.shipping.sizes import Size
from coscope.render.pages.sheet import Line
from coscope.render.text.measured import Pen, cells

if TYPE_CHECKING:
    from coscope.render.schemas import closure, shared
    from coscope.render.schemas import report as schema


def size_entry(size: Size) -> shared.Size:
    """A size in the document."""
    return {
        "bytes": size.bytes,
        "shared": size.shared,
        "objects": size.objects,
        "complete": size.complete,
    }


def wrapped(pen: Pen, text: str, indent: str, role: str) -> Iterator[Line]:
    """A text over as many lines as it takes."""
    line = ""
    for word in pen.clean(text).split():
        if line and cells(indent + line) + 1 + cells(word) > pen.width:
            yield [(indent + line, role)]
            line = ""
        line = f"{line} {word}" if line else word
    if line:
        yield [(indent + line, role)]


def user_text(user: shared.User) -> str:
    """Such as `outer (lines 4, 7)`."""
    lines = user["lines"]
    if not lines:
        return user["code"]
    word = "line" if len(lines) == 1 else "lines"
    return f"{user['code']} ({word} {', '.join(map(str, lines))})"


def sharer_text(sharer: schema.FreeCellSharer | closure.ClosureSharer) -> str:
    """A function that holds the same cell, with its module."""
    return f"{sharer['module']}.{sharer['qualname']}" if sharer["module"] else sharer["qualname"]


def bytes_text(count: int) -> str:
    """A number of bytes in a unit that suits it, powers of 1000.

    >>> bytes_text(999), bytes_text(1000), bytes_text(100_000_057)
    ('999 B', '1.0 kB', '100.0 MB')
    """
    if count < 1000:
        return f"{count} B"
    size = float(count)
    for unit in ("kB", "MB", "GB", "TB"):
        size /= 1000
        if size < 999.95 or unit == "TB":
            return f"{size:.1f} {unit}"
    return ""
