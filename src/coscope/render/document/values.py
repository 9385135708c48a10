"""Where each value on the symbolic stack comes from, and what kind it is."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import NamedTuple

from coscope import flow
from coscope.errors import StackError
from coscope.flow.domains.kind_many import kinds_for
from coscope.flow.domains.origin import UNKNOWN, Origin, Origins
from coscope.flow.frames import Frames
from coscope.opcodes import Opcode
from coscope.opcodes.kinds import describe


class Known(NamedTuple):
    """What is known of the values on the stack before one instruction, deepest first."""

    producers: list[list[int]] | None  # byte offsets of the instructions that may have made each
    kinds: list[str] | None


class Values:
    """Two runs of the abstract machine over one code object, besides the one that makes texts."""

    def __init__(self, graph: flow.Graph) -> None:
        self.graph = graph
        self.offsets = graph.code.instructions.offsets
        self._known: dict[Origins, list[int]] = {}
        self._words: dict[int, str] = {}

    @cached_property
    def origins(self) -> Frames[Origins] | None:
        """The instructions that made each value."""
        try:
            return flow.run(self.graph, Origin())
        except StackError:
            return None

    @cached_property
    def kinds(self) -> Frames[int] | None:
        """The kind of each value; not known where blocks are kept on a stack (3.8 to 3.10)."""
        if self.graph.table.exceptions == "block stack":
            return None
        try:
            return flow.run(self.graph, kinds_for(self.graph))
        except StackError:
            return None

    def before(self, index: int) -> Known:
        """What is known before an instruction."""
        made = None if self.origins is None else self.origins[index]
        kinds = None if self.kinds is None else self.kinds[index]
        return Known(
            None if made is None else [self._offsets(each) for each in made],
            None if kinds is None else [self._word(each) for each in kinds],
        )

    def _word(self, kind: int) -> str:
        found = self._words.get(kind)
        if found is None:
            found = self._words[kind] = describe(kind)
        return found

    def _offsets(self, origins: Origins) -> list[int]:
        """Shared between instructions: a value stays on the stack for several."""
        found = self._known.get(origins)
        if found is None:
            known = () if origins is UNKNOWN or -1 in origins else sorted(origins)
            found = self._known[origins] = [self.offsets[index] for index in known]
        return found


def sort_of(row: Opcode | None) -> str:
    """What sort of instruction an opcode is, in one word."""
    if row is None:
        return "other"
    if row.ends in ("return", "raise"):
        return row.ends
    if row.jump is not None:
        return "jump"
    for verb in row.access:
        return _ACCESS.get(verb.split()[0], "load")
    return _named(row.base or row.name)


_ACCESS = {"read": "load", "write": "store", "delete": "delete", "import": "import"}
# First word of the name -> sort; the longest prefix that fits counts.
_PREFIXES: Sequence[tuple[str, str]] = (
    ("CALL_INTRINSIC", "compute"),
    ("CALL", "call"),
    ("PRECALL", "call"),
    ("KW_NAMES", "call"),
    ("IMPORT", "import"),
    ("LOAD", "load"),
    ("STORE", "store"),
    ("DELETE", "delete"),
    ("BUILD", "build"),
    ("MAKE_FUNCTION", "build"),
    ("LIST", "build"),
    ("SET_ADD", "build"),
    ("SET_UPDATE", "build"),
    ("DICT", "build"),
    ("MAP_ADD", "build"),
    ("UNPACK", "unpack"),
    ("POP_EXCEPT", "exception"),
    ("POP_BLOCK", "exception"),
    ("PUSH_EXC", "exception"),
    ("CHECK_EXC", "exception"),
    ("CHECK_EG", "exception"),
    ("WITH_EXCEPT", "exception"),
    ("CLEANUP", "exception"),
    ("SETUP", "exception"),
    ("END_ASYNC", "exception"),
    ("POP_TOP", "stack"),
    ("POP_ITER", "stack"),
    ("PUSH_NULL", "stack"),
    ("COPY_FREE", "frame"),
    ("COPY", "stack"),
    ("SWAP", "stack"),
    ("DUP", "stack"),
    ("ROT", "stack"),
    ("YIELD", "yield"),
    ("GET_YIELD", "yield"),
    ("RETURN_GENERATOR", "frame"),
    ("RESUME", "frame"),
    ("MAKE_CELL", "frame"),
    ("GEN_START", "frame"),
    ("NOP", "nothing"),
    ("EXTENDED_ARG", "nothing"),
    ("CACHE", "nothing"),
    ("NOT_TAKEN", "nothing"),
)


def _named(name: str) -> str:
    for prefix, sort in _PREFIXES:
        if name.startswith(prefix):
            return sort
    return "compute"
