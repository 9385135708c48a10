"""How control and values move: graph, regions, abstract machine and its domains."""

from coscope.flow.domain import Domain
from coscope.flow.domains.conditions import label
from coscope.flow.dominators import dominates, find_dominators
from coscope.flow.effects import Effect
from coscope.flow.frames import Frame, Frames
from coscope.flow.graph import Block, Edge, Graph, build
from coscope.flow.loops import Loop, find_loops
from coscope.flow.machine import run
from coscope.flow.regions import find_regions

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
    "find_dominators",
    "find_loops",
    "find_regions",
    "label",
    "run",
]
