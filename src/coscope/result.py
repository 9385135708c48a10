"""`Result`: what the public verbs return. It prints well, displays in a notebook, dumps to JSON."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

MIME = "application/vnd.coscope+json"


class Result:
    """Base of frozen result dataclasses.

    The words and the page are made in `render/`, on a higher floor: `coscope/__init__.py` binds
    the renderer.
    """

    __slots__ = ()

    def to_json(self) -> dict[str, Any]:
        """The result's document, as docs/schema.md describes it: strict JSON data."""
        document: dict[str, Any] = _renderer[0](self, "json")
        return document

    def __str__(self) -> str:
        text: str = _renderer[0](self, "text")
        return text

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        forms = {"text/plain": "text", "text/html": "html", MIME: "json"}
        wanted = set(forms if include is None else include) - set(exclude or ())
        return {mime: _renderer[0](self, form) for mime, form in forms.items() if mime in wanted}


# [0] renders a result as "text", "html" or "json".
_renderer: list[Callable[[Result, str], Any]] = []


def bind_renderer(render: Callable[[Result, str], Any]) -> None:
    """Tell results how to show themselves. `coscope/__init__.py` calls it once."""
    _renderer[:] = [render]
