"""Diagrams of boxes in columns, and arrows between them: as Mermaid and as Graphviz DOT."""

from __future__ import annotations

from dataclasses import dataclass

from coscope.render.drawings import to_dot, to_mermaid
from coscope.render.text.graph_labels import line


@dataclass(frozen=True, slots=True)
class Box:
    """One box."""

    name: str  # an identifier, unique in its diagram
    column: int  # from the left, 0 first
    kind: str  # one of KINDS
    lines: tuple[str, ...]


KINDS = ("code", "function", "cell", "empty cell")


@dataclass(frozen=True, slots=True)
class Arrow:
    """From one box to another."""

    source: str
    target: str
    label: str = ""
    faint: bool = False  # says something by the way


@dataclass(frozen=True, slots=True)
class Boxes:
    """A diagram."""

    title: str
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]


_SHAPES = {"code": ('[/"', '"/]'), "function": ('["', '"]'), "cell": ('(["', '"])')}
_LOOKS = {
    "code": "shape=note",
    "function": "shape=box",
    "cell": 'shape=box, style="rounded"',
    "empty cell": 'shape=box, style="rounded,dashed"',
}


def boxes_to_mermaid(diagram: Boxes) -> str:
    """A Mermaid flowchart, from left to right."""
    out = ["flowchart LR"]
    for box in diagram.boxes:
        opened, closed = _SHAPES.get(box.kind, _SHAPES["cell"])
        text = "<br/>".join(to_mermaid.escaped(line(each)) for each in box.lines)
        out.append(f"  {box.name}{opened}{text}{closed}")
    for arrow in diagram.arrows:
        shaft = "-.->" if arrow.faint else "-->"
        label = f'|"{to_mermaid.escaped(line(arrow.label))}"|' if arrow.label else ""
        out.append(f"  {arrow.source} {shaft}{label} {arrow.target}")
    empty = [box.name for box in diagram.boxes if box.kind == "empty cell"]
    if empty:
        out.append(f"  class {','.join(empty)} empty")
        out.append("  classDef empty stroke-dasharray:4")
    return "\n".join(out) + "\n"


def boxes_to_dot(diagram: Boxes) -> str:
    """A Graphviz digraph, from left to right."""
    out = [
        "digraph coscope {",
        "  rankdir=LR;",
        '  node [fontname="monospace", fontsize=10];',
        '  edge [fontname="monospace", fontsize=9];',
        f'  label="{to_dot.escaped(line(diagram.title))}";',
        "  labelloc=t;",
    ]
    for box in diagram.boxes:
        text = "".join(to_dot.escaped(line(each)) + "\\l" for each in box.lines)
        out.append(f'  {box.name} [label="{text}", {_LOOKS[box.kind]}];')
    for arrow in diagram.arrows:
        look = ", style=dashed" if arrow.faint else ""
        label = to_dot.escaped(line(arrow.label))
        out.append(f'  {arrow.source} -> {arrow.target} [label="{label}"{look}];')
    return "\n".join([*out, "}"]) + "\n"
