"""What blocks and edges say in a drawn graph, for Mermaid and for Graphviz alike."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from coscope.render.text.measured import escape, shorten

if TYPE_CHECKING:
    from coscope.render.schemas import report as schema


WIDTH = 48  # characters of a line in a box
_MOST_STEPS = 12  # lines in a box
_BRACKETED = re.compile(r"\([^()]*\)|\[[^\[\]]*\]")


def block_lines(block: schema.Block) -> list[str]:
    """Lines of a block's box: its name and source line, then what it does."""
    first, last = block["line"], block["last_line"]
    place = "" if first is None else f", line {first}"
    if first is not None and last is not None and last > first:
        place = f", lines {first} to {last}"
    steps = [line(step["text"]) for step in block["steps"][:_MOST_STEPS]]
    if len(block["steps"]) > _MOST_STEPS:
        steps.append(f"… {len(block['steps']) - _MOST_STEPS} more")
    condition = condition_of(block)
    if condition is not None:
        steps.append(line(condition))
    return [block["name"] + place, *steps]


def condition_of(block: schema.Block) -> str | None:
    """What decides where control leaves the block, or None if nothing does."""
    for edge in block["edges"]:
        if edge["kind"] in ("true", "false"):
            return f"if {edge['label'] or 'the condition'}"
        if edge["kind"] == "next" and edge["label"]:
            return str(edge["label"])
    return None


def edge_label(edge: schema.Edge) -> str:
    """What an edge says: the condition, negated on the way of the false."""
    kind, label = edge["kind"], edge["label"]
    if kind == "true":
        return line(label or "true")
    if kind == "false":
        return line(negated(label) if label else "false")
    if kind == "exception":
        return "exception"
    return line(label or "") if kind == "jump" else ""


def negated(condition: str) -> str:
    """The condition's opposite.

    >>> negated("a"), negated("a > b"), negated("not a")
    ('not a', 'not (a > b)', 'a')
    """
    if condition.startswith("not ") and _is_tight(condition[4:]):
        return condition[4:]
    return f"not {condition}" if _is_tight(condition) else f"not ({condition})"


def _is_tight(condition: str) -> bool:
    """True if there is no operator outside brackets."""
    while True:
        condition, count = _BRACKETED.subn("", condition)
        if not count:
            return " " not in condition


def line(text: str) -> str:
    """One short safe line."""
    return shorten(escape(" ".join(text.split())), WIDTH, keep="both")
