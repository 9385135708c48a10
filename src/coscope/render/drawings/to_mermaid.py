"""Control-flow graphs as a Mermaid flowchart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coscope.render.document.shared import detail_of
from coscope.render.text.graph_labels import block_lines, edge_label, line

if TYPE_CHECKING:
    from coscope.render.schemas import report as schema


def to_mermaid(document: schema.Document) -> str:
    """Every code object with detail, each in a subgraph if there are several."""
    codes = [code for code in document["codes"] if code["detail"] is not None]
    out = ["flowchart TD"]
    for code in codes:
        prefix = f"c{code['index']}" if len(codes) > 1 else ""
        indent = "  "
        if prefix:
            out.append(f'  subgraph {prefix}["{escaped(line(code["qualname"]))}"]')
            indent = "    "
        out += [indent + row for row in _graph(code, prefix)]
        if prefix:
            out.append("  end")
    out.append("  classDef handler stroke-dasharray:4")
    out.append("  classDef loop stroke-width:3px")
    return "\n".join(out) + "\n"


def _graph(code: schema.Code, prefix: str) -> list[str]:
    blocks = detail_of(code)["blocks"]
    out = []
    for block in blocks:
        text = "<br/>".join(escaped(text) for text in block_lines(block))
        out.append(f'{prefix}{block["name"]}["{text}"]')
    for block in blocks:
        for edge in block["edges"]:
            out.append(f"{prefix}{block['name']} {_arrow(edge)} {prefix}{edge['target']}")
    heads = [block["name"] for block in blocks if block["loop_head"]]
    handlers = sorted({region["handler"] for region in detail_of(code)["regions"]})
    return out + _class("loop", heads, prefix) + _class("handler", handlers, prefix)


def _class(name: str, members: list[str], prefix: str) -> list[str]:
    """The statement that gives some nodes a style; none without nodes."""
    return [f"class {','.join(prefix + each for each in members)} {name}"] if members else []


def _arrow(edge: schema.Edge) -> str:
    shaft = "-.->" if edge["kind"] == "exception" else "-->"
    label = edge_label(edge)
    return f'{shaft}|"{escaped(label)}"|' if label else shaft


def escaped(text: str) -> str:
    """Text for a quoted label: what Mermaid or HTML reads otherwise, as entity codes.

    >>> escaped('a < "b"')
    'a #lt; #quot;b#quot;'
    """
    return "".join(_ENTITIES.get(c, c) for c in text)


_ENTITIES = {
    "#": "#35;",
    "&": "#amp;",
    '"': "#quot;",
    "<": "#lt;",
    ">": "#gt;",
    "`": "#96;",
    "\\": "#92;",
    "|": "#124;",
    "{": "#123;",
    "}": "#125;",
    "[": "#91;",
    "]": "#93;",
    "*": "#42;",
    "_": "#95;",
    ";": "#59;",
}
