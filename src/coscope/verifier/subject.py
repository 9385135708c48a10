"""One code object under examination, and the facts about it that several checks need."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cached_property

from coscope.codec.locations import covered_units
from coscope.codec.regions import decode_regions
from coscope.errors import CodeError
from coscope.flow.domains.kind import Kinds
from coscope.flow.domains.kind_many import FEW, kinds_for
from coscope.flow.domains.kind_sweep import sweep
from coscope.flow.frames import Frames
from coscope.flow.graph import Graph, build
from coscope.flow.machine import run
from coscope.model import NOWHERE, Code, Instructions, Region, Span
from coscope.opcodes import Table, table
from coscope.opcodes.kinds import describe
from coscope.verifier.fields import has_exact_fields, text_of
from coscope.verifier.report import Violation

_STRUCTURE = ("underflow", "disagreement", "handler")  # all that is checked for 3.8 to 3.10


class Subject:
    """A code object, decoded.

    Attributes:
        code: The code object.
        rules: Its version's opcode table.
        instructions: Its columns; empty if `unreadable`.
        unreadable: Why the bytes are not an instruction sequence, or None.
        exact: Every field is of its declared type; otherwise only the check of types looks at it.
        structural: True where kinds of values are not known (3.8 to 3.10).
    """

    def __init__(self, code: Code, file: str | None = None) -> None:
        self.code = code
        self.exact = has_exact_fields(code)  # else no check but that of the types may look
        self.file = file or text_of(code.filename)
        self.rules: Table = table(code.version)
        self.structural = self.rules.exceptions == "block stack"
        self.unreadable: CodeError | None = None
        self.tangled: CodeError | None = None  # why there is no graph, or None

    @cached_property
    def instructions(self) -> Instructions | None:
        """The columns; None if the bytes are no sequence of code units."""
        try:
            return self.code.instructions
        except CodeError as error:
            self.unreadable = error
            return None

    @cached_property
    def opcodes(self) -> bytes:
        """Opcode of each instruction; empty if the bytes cannot be read."""
        return b"" if self.instructions is None else bytes(self.instructions.opcodes)

    @cached_property
    def opargs(self) -> Sequence[int]:
        """Oparg of each instruction, bytes if none has a prefix."""
        return b"" if self.instructions is None else self.instructions.opargs

    @cached_property
    def starts(self) -> frozenset[int]:
        """Byte offsets at which control may arrive: no prefix hides behind them."""
        instructions = self.instructions
        if instructions is None:
            return frozenset()
        offsets, prefix = instructions.offsets, self.rules.extended_arg
        behind = [
            at for at, opcode in zip(offsets[1:], self.opcodes, strict=False) if opcode == prefix
        ]
        return frozenset(offsets).difference(behind)

    @cached_property
    def units(self) -> int | None:
        """Code units that the line table covers (to 3.10: pairs of bytes); None if malformed."""
        raw = self.code.linetable
        if self.rules.lines == "locations":
            return covered_units(raw)
        return None if len(raw) % 2 else len(raw) // 2

    @cached_property
    def regions(self) -> list[Region] | None:
        """The entries of the exception table; None if it cannot be read (and to 3.10)."""
        if not self.code.exceptiontable:
            return []
        try:
            return decode_regions(self.code.exceptiontable)
        except CodeError:
            return None

    @cached_property
    def handled(self) -> frozenset[int]:
        """Byte offsets at which exception handlers start."""
        return frozenset(region.target for region in self.regions or ())

    @cached_property
    def graph(self) -> Graph | None:
        """The control-flow graph; None if jumps or regions lead nowhere: their checks report it."""
        if self.instructions is None:
            return None
        try:
            return build(self.code, self.regions)
        except CodeError as error:
            self.tangled = error
            return None

    @cached_property
    def _run(self) -> tuple[Kinds, Frames[int] | None] | None:
        graph = self.graph
        if graph is None:
            return None
        domain = kinds_for(graph)
        try:
            return domain, run(graph, domain)
        except CodeError as error:
            self.tangled = error
            return domain, None

    @cached_property
    def _swept(self) -> int | None:
        """The most slots that are filled, if a sweep found nothing wrong with any kind."""
        graph = self.graph
        if graph is None or self.structural or len(self.code.localsplusnames) > FEW:
            return None
        return sweep(graph, Kinds(graph))

    @property
    def sound(self) -> bool:
        """True if certainly no kind is wrong; False if only the typed machine can say."""
        return self._swept is not None

    @property
    def peak(self) -> int | None:
        """The most slots of the stack that are filled anywhere; None if it cannot be followed."""
        if self._swept is not None:
            return self._swept
        return None if self.frames is None else self.frames.peak

    @property
    def frames(self) -> Frames[int] | None:
        """Kinds on the stack and in the locals before each instruction."""
        found = self._run
        return None if found is None else found[1]

    @property
    def domain(self) -> Kinds | None:
        """The domain that the machine ran with."""
        found = self._run
        return None if found is None else found[0]

    def reported(self, rule: str, group: str) -> Iterable[Violation]:
        """The machine's faults of one group, as violations of a rule."""
        if self.sound:
            return ()
        found = self._run
        if found is None or not found[0].faults or (self.structural and group not in _STRUCTURE):
            return ()
        return [
            self.violation(
                rule, fault.message, fault.place, expected=fault.expected, found=fault.found
            )
            for fault in found[0].found()
            if fault.group == group
        ]

    def violation(
        self,
        rule: str,
        message: str,
        index: int | None = None,
        *,
        offset: int | None = None,
        expected: object = None,
        found: object = None,
        undecided: bool = False,
    ) -> Violation:
        """A violation, at an instruction or a byte offset."""
        instructions = self.instructions
        opname = None
        span = Span(self.code.firstlineno) if self.exact else NOWHERE
        if index is not None and instructions is not None:
            offset = instructions.offsets[index]
            opname = instructions.opname(index)
            span = self._span(instructions, index)
        return Violation(
            rule=rule,
            message=message,
            code=text_of(self.code.qualname),
            offset=offset,
            span=span,
            opname=opname,
            expected=None if expected is None else str(expected),
            found=None if found is None else str(found),
            stack=self._stack(index),
            file=self.file,
            undecided=undecided,
        )

    def with_stack(self, violation: Violation) -> Violation:
        """A violation with the stack before its instruction, where that is known.

        For those that were found before the machine ran: it is started for them now.
        """
        instructions = self.instructions
        if violation.stack is not None or violation.offset is None or instructions is None:
            return violation
        index = bisect_left(instructions.offsets, violation.offset)
        if index == len(instructions) or instructions.offsets[index] != violation.offset:
            return violation
        frame = None if self.frames is None else self.frames[index]
        return violation if frame is None else replace(violation, stack=tuple(map(describe, frame)))

    def _span(self, instructions: Instructions, index: int) -> Span:
        try:
            return instructions.positions[index]
        except CodeError:  # a broken line table has a violation of its own
            return NOWHERE

    def _stack(self, index: int | None) -> tuple[str, ...] | None:
        made = self.__dict__.get("_run")  # never start the machine for a message
        if index is None or made is None or made[1] is None:
            return None
        frame = made[1][index]
        return None if frame is None else tuple(map(describe, frame))
