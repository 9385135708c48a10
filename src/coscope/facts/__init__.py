"""What is true of one function: a folder for each subject, from its names to its fingerprint."""

from coscope.facts.closures.cells import CellDiagram, CellUse, Sharer, Variable, diagram
from coscope.facts.names.inlined import Inlined, inlined_comprehensions
from coscope.facts.names.names import LoadedConstant, Name, Names, names_of
from coscope.facts.names.uses import Use, uses_of

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
