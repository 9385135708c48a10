"""How control and values move: graph, regions, abstract machine and its domains."""

from coscope.flow.conditions import graph, label
from coscope.flow.domain import Domain
from coscope.flow.dominators import dominates, dominators
from coscope.flow.effects import Effect
from coscope.flow.frames import Frame, Frames
from coscope.flow.graph import Block, Edge, Graph, build
from coscope.flow.loops import Loop, loops
from coscope.flow.machine import run
from coscope.flow.regions import regions

__all__ = [
    "Block",
    "Domain",
    "Edge",
    "Effect",
    "Frame",
    "Frames",
    "Graph",
    "Loop",
    "build",
    "dominates",
    "dominators",
    "graph",
    "label",
    "loops",
    "regions",
    "run",
]
