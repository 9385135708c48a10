"""Labels of a graph's edges: the condition under which control goes that way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from coscope.errors import CodeError
from coscope.flow.domains.expression import condition, expressions
from coscope.flow.effects import effect_of
from coscope.flow.frames import Frames
from coscope.flow.graph import Block, Edge, Graph, build
from coscope.flow.texts import Text
from coscope.model import Code

# Tests whose two ways do not answer one question: what falls through has, what the jump means.
_WAYS = {"exhausted": ("", "exhausted"), "finished": ("yielded", "finished")}


def graph(code: Code) -> Graph:
    """The control-flow graph, each conditional edge labelled with its condition.

    The "true" and the "false" edge of a block have the same label: the expression that is tested.
    The edge into a loop's body says what it fetches, the edge out of it "exhausted".

    Raises:
        CodeError: As `build`. That the machine cannot follow the code (a wrong stack, above all) is
            no error here: the labels are then None.
    """
    built = build(code)
    try:
        return label(built, expressions(built))
    except CodeError:
        return built


def label(graph: Graph, frames: Frames[Text]) -> Graph:
    """The same graph with labels, from the symbolic stacks."""
    blocks = tuple(
        replace(block, edges=tuple(_labelled(graph, block, frames))) for block in graph.blocks
    )
    return Graph(graph.code, blocks, graph.regions)


def _labelled(graph: Graph, block: Block, frames: Frames[Text]) -> Iterator[Edge]:
    index = block.stop - 1
    instructions = graph.code.instructions
    opcode, oparg = instructions.opcodes[index], instructions.opargs[index]
    row = graph.table.by_code[opcode]
    frame = frames[index]
    if row is None or row.tests is None or frame is None:
        yield from block.edges
        return
    effect = effect_of(graph.code.version, opcode, oparg, False)
    test = condition(effect, frame.top(effect.popped))
    for edge in block.edges:
        if edge.kind in ("true", "false"):
            yield edge._replace(label=test)
        elif edge.kind in ("next", "jump") and row.tests in _WAYS:
            words = _WAYS[row.tests][edge.jumps]
            yield edge._replace(label=words or _fetched(graph, edge, frames))
        else:
            yield edge


def _fetched(graph: Graph, edge: Edge, frames: Frames[Text]) -> str | None:
    """What FOR_ITER pushes: on top where its loop's body starts."""
    frame = frames[graph.blocks[edge.target].start]
    return str(frame.top(1)[0]) if frame else None
