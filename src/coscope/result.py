"""`Result`: what the public verbs return. It prints well, displays in a notebook, dumps to JSON."""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False  # as in `coscope/__init__.py`, which imports this file

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

MIME = "application/vnd.coscope+json"


class Result:
    """Base of frozen result dataclasses.

    The words and the page are made on a higher floor, in the module that `bind_renderer` named.
    It is loaded only when a result is shown: data must not load what draws it.
    """

    __slots__ = ()

    def to_json(self) -> dict[str, Any]:
        """The result's document, as docs/schema.md describes it: strict JSON data."""
        document: dict[str, Any] = _render(self, "json")
        return document

    def __str__(self) -> str:
        text: str = _render(self, "text")
        return text

    def _repr_mimebundle_(
        self, include: Iterable[str] | None = None, exclude: Iterable[str] | None = None
    ) -> dict[str, object]:
        forms = {"text/plain": "text", "text/html": "html", MIME: "json"}
        wanted = set(forms if include is None else include) - set(exclude or ())
        return {mime: _render(self, form) for mime, form in forms.items() if mime in wanted}


# Name of the module whose `render(result, form)` gives "text", "html" or "json".
_renderer: list[str] = []


def bind_renderer(module: str) -> None:
    """Name the module that draws results. `coscope/__init__.py` calls it once."""
    _renderer[:] = [module]


def _render(result: Result, form: str) -> Any:
    return import_module(_renderer[0]).render(result, form)
