"""Control-flow graphs in Graphviz's DOT language."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coscope.render.document.shared import detail_of
from coscope.render.text.graph_labels import block_lines, edge_label, line

if TYPE_CHECKING:
    from coscope.render.schemas import report as schema


_COLOURS = {"true": "darkgreen", "false": "firebrick", "exception": "darkorange3"}


def to_dot(document: schema.Document) -> str:
    """Every code object with detail, each in a cluster if there are several."""
    codes = [code for code in document["codes"] if code["detail"] is not None]
    out = [
        "digraph coscope {",
        '  node [shape=box, fontname="monospace", fontsize=10];',
        '  edge [fontname="monospace", fontsize=9];',
    ]
    for code in codes:
        prefix = f"c{code['index']}_" if len(codes) > 1 else ""
        title = f'label="{escaped(line(code["qualname"]))}";'
        if prefix:
            out.append(f"  subgraph cluster_{code['index']} {{")
            out += ["    " + row for row in [title, *_graph(code, prefix)]]
            out.append("  }")
        else:
            out += ["  " + row for row in [title, "labelloc=t;", *_graph(code, prefix)]]
    return "\n".join([*out, "}"]) + "\n"


def _graph(code: schema.Code, prefix: str) -> list[str]:
    out = []
    for block in detail_of(code)["blocks"]:
        text = "".join(escaped(text) + "\\l" for text in block_lines(block))
        look = f'label="{text}"' + (", penwidth=2" if block["loop_head"] else "")
        out.append(f"{prefix}{block['name']} [{look}];")
    for block in detail_of(code)["blocks"]:
        for edge in block["edges"]:
            out.append(f"{prefix}{block['name']} -> {prefix}{edge['target']} [{_look(edge)}];")
    return out


def _look(edge: schema.Edge) -> str:
    attributes = [f'label="{escaped(edge_label(edge))}"']
    colour = _COLOURS.get(edge["kind"])
    if colour is not None:
        attributes.append(f"color={colour}")
    if edge["kind"] == "exception":
        attributes.append("style=dashed")
    if edge["back"]:
        attributes.append("constraint=false")
    return ", ".join(attributes)


def escaped(text: str) -> str:
    """Text inside a quoted DOT string.

    >>> escaped('say "hi"\\\\n')
    'say \\\\"hi\\\\"\\\\\\\\n'
    """
    return text.replace("\\", "\\\\").replace('"', '\\"')
