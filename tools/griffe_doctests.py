"""An extension of griffe, for the site: examples in docstrings become code blocks of their own.

Outside of an "Examples" section griffe takes `>>> f([1])` for prose, and `[1]` for a reference.
"""

from __future__ import annotations

import re
from typing import Any

import griffe  # of the site's own environment

_EXAMPLE = re.compile(r"(?m)^( *)>>> .*(?:\n(?!\s*$).+)*")


class Doctests(griffe.Extension):  # type: ignore[misc]
    """Fences each example and its answer."""

    def on_object(self, *, obj: Any, **others: Any) -> None:
        """Called by griffe for each object that it has loaded."""
        if obj.docstring is not None:
            obj.docstring.value = _EXAMPLE.sub(_fenced, obj.docstring.value)


def _fenced(found: re.Match[str]) -> str:
    indent = found.group(1)
    return f"{indent}```pycon\n{found.group()}\n{indent}```"
