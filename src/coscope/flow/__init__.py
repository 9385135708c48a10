"""How control and values move: graph, regions, abstract machine and its domains."""

from coscope.flow.domain import Domain
from coscope.flow.frames import Frame, Frames
from coscope.flow.graph import Block, Edge, Graph, build
from coscope.flow.machine import run
from coscope.flow.regions import regions

graph = build

__all__ = ["Block", "Domain", "Edge", "Frame", "Frames", "Graph", "graph", "regions", "run"]
