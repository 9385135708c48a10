"""The diagram of a closure's document, in each form in which it can be drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coscope.render.drawings.boxes import boxes_to_dot, boxes_to_mermaid
from coscope.render.drawings.closure_boxes import closure_boxes
from coscope.render.drawings.to_svg import boxes_to_svg

if TYPE_CHECKING:
    from coscope.render.schemas.closure import ClosureDocument


def to_mermaid(found: ClosureDocument) -> str:
    """A Mermaid flowchart."""
    return boxes_to_mermaid(closure_boxes(found))


def to_dot(found: ClosureDocument) -> str:
    """Graphviz DOT."""
    return boxes_to_dot(closure_boxes(found))


def to_svg(found: ClosureDocument) -> str:
    """An SVG document."""
    return boxes_to_svg(closure_boxes(found))
