"""`co_code` -> instructions: columns, and light views of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from itertools import accumulate, compress, repeat
from typing import NamedTuple, overload

from coscope.codec.lines import Spans, decode_rows, starts_of
from coscope.codec.locations import NOWHERE, Row
from coscope.codec.operands import Operand, operands
from coscope.codec.runs import end_of_run
from coscope.errors import CodeError
from coscope.model import Code, Instruction
from coscope.opcodes import table

_INT = 1 << 32  # the interpreter keeps an oparg in a C int


class _Walk(NamedTuple):
    """What stepping through the bytecode of one version needs."""

    # How far every cache unit is zero and no opcode is; all the way in what compilers write.
    end_of_plain: Callable[[bytes], int]
    steps: bytes  # by opcode: code units to the next instruction
    byte_steps: bytes  # the same in bytes
    takes: bytes  # by opcode: 0xFF if it takes an argument, else 0
    extended_arg: int
    names: tuple[str, ...]
    operands: tuple[Operand, ...]
    jumps: bytes  # opcodes with a target


@cache
def _walk(version: str) -> _Walk:
    rules = table(version)
    meanings = operands(version)
    rows = rules.by_code
    by_step: dict[int, list[bytes]] = {}
    for opcode in range(1, 256):
        by_step.setdefault(rules.steps[opcode], []).append(re.escape(bytes([opcode])))
    kinds = (
        b"[%b].%b" % (b"".join(opcodes), rb"\0\0" * (step - 1))
        for step, opcodes in sorted(by_step.items())
    )
    return _Walk(
        end_of_plain=end_of_run(b"|".join(kinds)),
        steps=rules.steps,
        byte_steps=bytes(2 * step for step in rules.steps),
        takes=bytes(255 if meaning.takes else 0 for meaning in meanings),
        extended_arg=rules.extended_arg,
        names=tuple(row.name if row else f"<{opcode}>" for opcode, row in enumerate(rows)),
        operands=meanings,
        jumps=bytes(opcode for opcode in range(256) if meanings[opcode].jump_unit),
    )


class Columns(Sequence[Instruction]):
    """The instructions of one code object, a column for each property.

    A sequence of `Instruction` views; a slice is a list of them. What costs time is decoded when
    it is first asked for.

    Attributes:
        code: The code object.
        offsets: Byte offset of each instruction. Strictly ascending.
        opcodes: Opcode numbers as stored.
        opargs: Opargs with EXTENDED_ARG prefixes applied, 0 where the opcode takes none.
            Signed: like the interpreter, a fourth prefix pushes bits out at the top.
        plain: True if every cache unit is whole and zero and no opcode is 0, as compilers write.
    """

    __slots__ = (
        "_jump_targets",
        "_marks",
        "_positions",
        "_starts",
        "_unit_rows",
        "_walk",
        "code",
        "offsets",
        "opargs",
        "opcodes",
        "plain",
    )

    def __init__(
        self,
        code: Code,
        walk: _Walk,
        offsets: Sequence[int],
        opcodes: Sequence[int],
        opargs: Sequence[int],
        marks: bytes,
        plain: bool,
    ) -> None:
        self.code = code
        self.plain = plain
        self.offsets = offsets
        self.opcodes = opcodes
        self.opargs = opargs
        self._marks = marks  # for each code unit, zero if no instruction starts there
        self._walk = walk
        self._unit_rows: list[Row] | None = None
        self._positions: Spans | None = None
        self._jump_targets: frozenset[int] | None = None
        self._starts: dict[int, int | None] | None = None

    def __len__(self) -> int:
        return len(self.opcodes)

    @overload
    def __getitem__(self, index: int, /) -> Instruction: ...
    @overload
    def __getitem__(self, index: slice, /) -> list[Instruction]: ...
    def __getitem__(self, index: int | slice, /) -> Instruction | list[Instruction]:
        # range gives negative indexes, slices and IndexError their usual meaning.
        wanted = range(len(self.opcodes))[index]
        if isinstance(wanted, range):
            return list(map(Instruction, repeat(self), wanted))
        return Instruction(self, wanted)

    def __iter__(self) -> Iterator[Instruction]:
        return map(Instruction, repeat(self), range(len(self.opcodes)))

    def __repr__(self) -> str:
        return f"<{len(self)} instructions of {self.code.qualname}>"

    @property
    def positions(self) -> Spans:
        """Source range of each instruction; an empty `Span` where the table says nothing.

        Raises:
            TruncatedTable: The line table ends inside an entry.
            CodeError: The line table contradicts itself.
        """
        if self._positions is None:
            rows = self._rows()
            if len(rows) < len(self._marks):
                rows = rows + [NOWHERE] * (len(self._marks) - len(rows))
            self._positions = Spans(list(compress(rows, self._marks)))
        return self._positions

    def _rows(self) -> list[Row]:
        """The fields of the span of each code unit, as far as the line table reaches."""
        if self._unit_rows is None:
            self._unit_rows = decode_rows(self.code)
        return self._unit_rows

    @property
    def jump_targets(self) -> frozenset[int]:
        """Byte offsets to which some instruction may jump, as `dis.findlabels`.

        Where exception handlers start is in the exception table (`decode_regions`).
        """
        if self._jump_targets is None:
            jumps = self._walk.jumps
            found = (
                self.jump_target(index)
                for index, opcode in enumerate(self.opcodes)
                if opcode in jumps
            )
            self._jump_targets = frozenset(target for target in found if target is not None)
        return self._jump_targets

    def opname(self, index: int) -> str:
        """Name of the opcode in this version; `<n>` for a number that it does not define."""
        return self._walk.names[self.opcodes[index]]

    def arg(self, index: int) -> int | None:
        """The oparg; None if the opcode takes none."""
        return self.opargs[index] if self._walk.takes[self.opcodes[index]] else None

    def argval(self, index: int) -> object:
        """What the oparg means; itself where it points outside its list."""
        meaning = self._walk.operands[self.opcodes[index]]
        if meaning.jump_unit:
            return self.jump_target(index)
        return meaning.value(self.code, self.opargs[index])

    def argrepr(self, index: int) -> str:
        """`argval` as text."""
        meaning = self._walk.operands[self.opcodes[index]]
        if meaning.jump_unit:
            return f"{meaning.word} {self.jump_target(index)}"
        return meaning.text(self.code, self.opargs[index])

    def end_offset(self, index: int) -> int:
        """Byte offset after the instruction and its inline caches."""
        return self.offsets[index] + 2 * self._walk.steps[self.opcodes[index]]

    def starts_line(self, index: int) -> bool:
        """True if a line starts here, as `dis.findlinestarts` of this version.

        Raises:
            TruncatedTable: The line table ends inside an entry.
            CodeError: The line table contradicts itself.
        """
        if self._starts is None:
            self._starts = starts_of(self._rows(), table(self.code.version))
        return self.offsets[index] in self._starts

    def jump_target(self, index: int) -> int | None:
        """Byte offset to which the instruction may jump, or None.

        In broken code it may lie outside of the code, or inside an instruction.
        """
        meaning = self._walk.operands[self.opcodes[index]]
        if not meaning.jump_unit:
            return None
        target = meaning.jump_base + self.opargs[index] * meaning.jump_unit
        return target if meaning.absolute else self.offsets[index] + target

    def at(self, offset: int) -> Instruction:
        """The instruction that begins at this byte offset.

        Raises:
            CodeError: None does.
        """
        offsets = self.offsets
        low, high = 0, len(offsets)
        while low < high:
            middle = (low + high) // 2
            if offsets[middle] < offset:
                low = middle + 1
            else:
                high = middle
        if low == len(offsets) or offsets[low] != offset:
            raise CodeError("no instruction begins here", code=self.code.qualname, offset=offset)
        return Instruction(self, low)


def decode(code: Code) -> Columns:
    """Decode `co_code`.

    EXTENDED_ARG prefixes are instructions of their own; inline caches are stepped over by the
    length that belongs to the opcode, whatever they hold.

    Raises:
        CodeError: The bytes end inside a code unit.
        UnknownVersion: There is no opcode table for the code's version.
    """
    size = len(code.code)
    if size % 2:
        raise CodeError("the bytecode ends inside a code unit", code=code.qualname, offset=size - 1)
    walk = _walk(code.version)
    plain = walk.end_of_plain(code.code) == size
    if plain:
        # As compilers write it. A run of zeros is an oparg or not, then caches: each pair of zeros
        # that goes is one cache unit.
        packed = code.code.replace(b"\0\0", b"")
        opcodes = packed[::2]
        opargs = packed[1::2]
        offsets = list(accumulate(opcodes.translate(walk.byte_steps), initial=0))
        offsets.pop()
        marks = code.code[::2]
    else:
        offsets = _starts(code.code, walk.byte_steps)
        opcodes = bytes(code.code[offset] for offset in offsets)
        opargs = bytes(code.code[offset + 1] for offset in offsets)
        starts = frozenset(offsets)
        marks = bytes(offset in starts for offset in range(0, size, 2))
    column: Sequence[int] = _masked(opargs, opcodes.translate(walk.takes))
    if walk.extended_arg in opcodes:
        column = _extended(column, opcodes, walk)
    return Columns(
        code=code,
        walk=walk,
        offsets=offsets,
        opcodes=opcodes,
        opargs=column,
        marks=marks,
        plain=plain,
    )


def _starts(code: bytes, steps: bytes) -> list[int]:
    """Offsets at which instructions start, stepping over the caches one by one."""
    starts = []
    at = 0
    while at < len(code):
        starts.append(at)
        at += steps[code[at]]
    return starts


def _masked(opargs: bytes, mask: bytes) -> bytes:
    """Byte by byte `opargs & mask`, all at once."""
    both = int.from_bytes(opargs, "little") & int.from_bytes(mask, "little")
    return both.to_bytes(len(opargs), "little")


def _extended(low: Sequence[int], opcodes: bytes, walk: _Walk) -> list[int]:
    """Apply the EXTENDED_ARG prefixes."""
    opargs = list(low)
    prefix = opcodes.find(walk.extended_arg)
    while 0 <= prefix < len(opargs) - 1:
        if walk.takes[opcodes[prefix + 1]]:
            oparg = (opargs[prefix] << 8 | opargs[prefix + 1]) % _INT
            opargs[prefix + 1] = oparg - _INT if oparg >= _INT // 2 else oparg
        prefix = opcodes.find(walk.extended_arg, prefix + 1)
    return opargs
