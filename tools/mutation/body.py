"""A code object taken apart for mutation: instructions with targets, laid out anew in one pass."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, NamedTuple

from coscope.codec.lines import Spans
from coscope.codec.operands import Operand, operands
from coscope.codec.regions import decode_regions
from coscope.flow import build, run
from coscope.flow.domains.depth import Depth
from coscope.model import Code, Constant
from coscope.opcodes import Table, table


class Infeasible(Exception):
    """The mutation makes no sense for this code; another is tried."""


class Op(NamedTuple):
    """One instruction without its prefixes."""

    opcode: int
    oparg: int = 0
    target: int = -1  # index of the instruction to which it jumps, or -1
    line: int = -1  # -1: none
    prefixes: int = 0  # EXTENDED_ARG to write at least


class Guard(NamedTuple):
    """One region, by indexes of instructions."""

    start: int
    stop: int
    target: int
    depth: int
    lasti: bool


@dataclass
class Body:
    """The changeable parts of a code object."""

    code: Code
    ops: list[Op]
    guards: list[Guard]
    depths: list[int | None]  # of the genuine code, before each instruction
    consts: list[Constant] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    locals: list[str] = field(default_factory=list)
    kinds: list[int] = field(default_factory=list)

    def copy(self) -> Body:
        """A body that can be changed without changing this one."""
        return Body(
            self.code, self.ops[:], self.guards[:], self.depths[:], self.consts[:],
            self.names[:], self.locals[:], self.kinds[:],
        )  # fmt: skip

    @property
    def rules(self) -> Table:
        return table(self.code.version)

    def insert(self, at: int, new: Iterable[Op], *, takes_jumps: bool = True) -> None:
        """Insert instructions; jumps to `at` lead to the first of them, unless told otherwise."""
        added = list(new)
        count = len(added)
        first = at + 1 if takes_jumps else at  # the first target that moves
        self.ops[at:at] = added
        depth = self.depths[at] if at < len(self.depths) else None
        self.depths[at:at] = [depth] * count
        for index, op in enumerate(self.ops):
            if op.target >= first and not at <= index < at + count:
                self.ops[index] = op._replace(target=op.target + count)
        self.guards = [
            Guard(
                g.start + count * (g.start > at),
                g.stop + count * (g.stop > at),
                g.target + count * (g.target >= first),
                g.depth,
                g.lasti,
            )
            for g in self.guards
        ]

    def remove(self, start: int, stop: int) -> None:
        """Remove instructions; jumps to them lead to what follows."""
        count = stop - start

        def moved(index: int) -> int:
            return index if index <= start else max(start, index - count)

        del self.ops[start:stop]
        del self.depths[start:stop]
        self.ops = [
            op._replace(target=moved(op.target)) if op.target > start else op for op in self.ops
        ]
        guards = [g._replace(start=moved(g.start), stop=moved(g.stop), target=moved(g.target))
                  for g in self.guards]  # fmt: skip
        self.guards = [g for g in guards if g.start < g.stop]

    def laid_out(self, spare: int = 0) -> Code:
        """The code object; `spare` slots are added to its stack size.

        Raises:
            Infeasible: A jump leads against the direction of its opcode.
        """
        code = self.code
        raw, offsets = _encoded(self.ops, code.version)
        return replace(
            code,
            code=raw,
            consts=tuple(self.consts),
            names=tuple(self.names),
            stacksize=code.stacksize + spare,
            linetable=_linetable(self.ops, offsets, code.firstlineno),
            exceptiontable=_exceptiontable(self.guards, offsets),
            **_fast_locals(self.locals, bytes(self.kinds)),
        )


def _fast_locals(names: list[str], kinds: bytes) -> dict[str, Any]:
    return {
        "localsplusnames": tuple(names),
        "localspluskinds": kinds,
        "varnames": tuple(n for n, k in zip(names, kinds, strict=False) if k & 0x20),
        "cellvars": tuple(n for n, k in zip(names, kinds, strict=False) if k & 0x40),
        "freevars": tuple(n for n, k in zip(names, kinds, strict=False) if k & 0x80),
        "nlocals": sum(k >> 5 & 1 for k in kinds),
    }


def taken_apart(code: Code) -> Body:
    """Take genuine code apart."""
    rules = table(code.version)
    columns = code.instructions
    extended = rules.extended_arg
    wanted = [i for i, opcode in enumerate(columns.opcodes) if opcode != extended]
    index_of: dict[int, int] = {}  # offset of the instruction or of a prefix -> index of the op
    op = 0
    for index, opcode in enumerate(columns.opcodes):
        index_of[columns.offsets[index]] = op
        op += opcode != extended
    index_of[len(code.code)] = op
    spans = columns.positions
    assert isinstance(spans, Spans)
    ops = []
    prefixes = 0
    for index, opcode in enumerate(columns.opcodes):
        if opcode == extended:
            prefixes += 1
            continue
        target = columns.jump_target(index)
        row = rules.by_code[opcode]
        jumps = target is not None and row is not None
        line = spans[index].lineno
        oparg = columns.opargs[index]
        needed = (max(1, oparg.bit_length()) - 1) // 8
        to = -1 if target is None else index_of.get(target, -1)
        extra = prefixes if prefixes > needed and not jumps else 0
        ops.append(Op(opcode, 0 if jumps else oparg, to, -1 if line is None else line, extra))
        prefixes = 0
    guards = [
        Guard(index_of[r.start], index_of[r.stop], index_of[r.target], r.depth, r.keeps_lasti)
        for r in decode_regions(code.exceptiontable)
    ]
    graph = build(code)
    depths = run(graph, Depth()).depths
    return Body(
        code, ops, guards, [depths[i] for i in wanted], list(code.consts), list(code.names),
        list(code.localsplusnames), list(code.localspluskinds),
    )  # fmt: skip


class _Encoding(NamedTuple):
    steps: bytes
    extended: int
    meanings: tuple[Operand, ...]
    caches: tuple[bytes, ...]
    reverse: dict[int, int]  # a jump's opcode -> the same jump in the other direction


@cache
def _encoding(version: str) -> _Encoding:
    rules = table(version)
    rows = rules.opcodes
    reverse = {}
    for name, row in rows.items():
        for there, back in (("FORWARD", "BACKWARD"), ("BACKWARD", "FORWARD")):
            other = rows.get(name.replace(there, back))
            if row.jump and other is not None and other is not row:
                reverse[row.code] = other.code
    return _Encoding(
        rules.steps,
        rules.extended_arg,
        operands(version),
        tuple(bytes(2 * step - 2) for step in rules.steps),
        reverse,
    )


def _encoded(ops: list[Op], version: str) -> tuple[bytes, list[int]]:
    """The bytes, and the offset of each instruction's first prefix; then the end."""
    steps, extended, meanings, caches, reverse = _encoding(version)
    args = [op.oparg for op in ops]
    codes = [op.opcode for op in ops]
    extra = [max(op.prefixes, (max(1, op.oparg.bit_length()) - 1) // 8) for op in ops]
    jumps = [index for index, op in enumerate(ops) if op.target >= 0]
    turned: set[int] = set()
    while True:
        offsets = []
        at = 0
        for index, opcode in enumerate(codes):
            offsets.append(at)
            at += 2 * (extra[index] + steps[opcode])
        offsets.append(at)
        again = False
        for index in jumps:
            meaning = meanings[codes[index]]
            if not meaning.jump_unit:
                continue
            base = offsets[index] + 2 * extra[index] + meaning.jump_base
            oparg = (offsets[min(ops[index].target, len(ops))] - base) // meaning.jump_unit
            if oparg < 0:
                if codes[index] not in reverse or index in turned:
                    raise Infeasible
                turned.add(index)
                codes[index] = reverse[codes[index]]
                again = True
                continue
            args[index] = oparg
            if oparg > 255 and oparg.bit_length() > 8 * (extra[index] + 1):
                extra[index] = (oparg.bit_length() - 1) // 8
                again = True
        if not again:
            break
    raw = bytearray()
    for index, opcode in enumerate(codes):
        oparg = args[index]
        for shift in range(8 * extra[index], 0, -8):
            raw += bytes((extended, oparg >> shift & 255))
        raw += bytes((opcode, oparg & 255))
        raw += caches[opcode]
    return bytes(raw), offsets


@cache
def _entry(units: int, delta: int | None) -> bytes:
    """An entry of the line table without columns, split where it is longer than 8 units."""
    pieces = b""
    while units > 0:
        first = 0x80 | min(units, 8) - 1
        if delta is None:
            pieces += bytes((first | 15 << 3,))
        else:
            number = delta << 1 if delta >= 0 else -delta << 1 | 1
            groups = []
            while number >= 0x40:
                groups.append(0x40 | number & 0x3F)
                number >>= 6
            pieces += bytes((first | 13 << 3, *groups, number))
            delta = 0
        units -= 8
    return pieces


def _linetable(ops: list[Op], offsets: list[int], firstlineno: int) -> bytes:
    line = firstlineno
    pieces = []
    for index, op in enumerate(ops):
        units = (offsets[index + 1] - offsets[index]) // 2
        if op.line < 0:
            pieces.append(_entry(units, None))
        else:
            pieces.append(_entry(units, op.line - line))
            line = op.line
    return b"".join(pieces)


def _exceptiontable(guards: list[Guard], offsets: list[int]) -> bytes:
    table = bytearray()
    last = len(offsets) - 1
    for guard in guards:
        first = len(table)
        start = offsets[min(guard.start, last)] // 2
        stop = offsets[min(guard.stop, last)] // 2
        target = offsets[min(guard.target, last)] // 2
        for number in (start, max(0, stop - start), target, guard.depth << 1 | guard.lasti):
            for shift in range(6 * max(0, (number.bit_length() - 1) // 6), 0, -6):
                table.append(number >> shift & 0x3F | 0x40)
            table.append(number & 0x3F)
        table[first] |= 0x80
    return bytes(table)
