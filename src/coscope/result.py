"""`Result`: what the public verbs return. It prints well, displays in a notebook, dumps to JSON."""

from __future__ import annotations

from importlib import import_module
from typing import Any

MIME = "application/vnd.coscope+json"


class Result:
    """Base of frozen result dataclasses.

    The words and the page are made in `render/`, on a higher floor, which is loaded only when a
    result is shown: data at the bottom of the house must not load what draws it.
    """

    __slots__ = ()

    def to_json(self) -> dict[str, Any]:
        """The result's document, as docs/schema.md describes it: strict JSON data."""
        document: dict[str, Any] = _render(self, "json")
        return document

    def __str__(self) -> str:
        text: str = _render(self, "text")
        return text

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        forms = {"text/plain": "text", "text/html": "html", MIME: "json"}
        wanted = set(forms if include is None else include) - set(exclude or ())
        return {mime: _render(self, form) for mime, form in forms.items() if mime in wanted}


def _render(result: Result, form: str) -> Any:
    return import_module("coscope.render.results").render(result, form)
