"""What is true of one function: its names, its cells, its inlined comprehensions."""

from coscope.facts.cells import CellDiagram, CellUse, Sharer, Variable, diagram
from coscope.facts.inlined import Inlined, inlined_comprehensions
from coscope.facts.names import LoadedConstant, Name, Names, names_of
from coscope.facts.uses import Use, uses_of

__all__ = [
    "CellDiagram",
    "CellUse",
    "Inlined",
    "LoadedConstant",
    "Name",
    "Names",
    "Sharer",
    "Use",
    "Variable",
    "diagram",
    "inlined_comprehensions",
    "names_of",
    "uses_of",
]
