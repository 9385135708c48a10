"""Paths of files in a text, as addresses that a terminal opens (OSC 8)."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

# Names that end as Python's files do; a line and a column may follow.
_PATH = re.compile(r"[^\s:,;'\"()<>|]+\.py[cwi]?(?![\w.])")

_WHOLE: Mapping[str, str] = {}


class Link(NamedTuple):
    """A part of a text, and where it leads."""

    start: int  # characters
    stop: int
    address: str  # file://...


def links_in(text: str, cut: Mapping[str, str] = _WHOLE) -> Iterator[Link]:
    """The files that a text names and that exist.

    A path that begins with two slashes or backslashes is left alone: on Windows to look whether it
    exists would ask another machine, which somebody else may have written there.

    Args:
        text: One line.
        cut: Paths that are shown in part -> the whole of them.
    """
    if ".py" not in text:
        return
    for found in _PATH.finditer(text):
        path = cut.get(found.group(), found.group())
        if path[:2] in ("//", "\\\\") or not os.path.isfile(path):
            continue
        yield Link(found.start(), found.end(), Path(os.path.abspath(path)).as_uri())
