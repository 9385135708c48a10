"""Protected regions of every version: from the exception table, or from the block stack."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from coscope.codec.regions import decode_regions
from coscope.errors import CodeError
from coscope.model import Code, Instructions, Region
from coscope.opcodes import Opcode, table

# Values that the interpreter pushes before a handler runs, to 3.10: the previous traceback, value
# and type, then those of the exception. Source: CPython 3.8 to 3.10, Python/ceval.c,
# `exception_unwind`.
HANDLER_VALUES = 6


def find_regions(code: Code, decoded: Sequence[Region] | None = None) -> tuple[Region, ...]:
    """The protected regions, ascending by `start` in what the compiler writes.

    From 3.11 they are the entries of the exception table. Before, they follow from the block
    stack: a region is a run of instructions during which the same SETUP instruction's block is
    on top. There, no handler finds `lasti` on the stack.

    Args:
        code: The code object.
        decoded: The entries of its exception table, if they are known.

    Raises:
        TruncatedTable: The exception table ends inside an entry.
        CodeError: A region leaves the code; or, to 3.10, paths that meet disagree about the open
            blocks, or a block is closed that was never opened.
    """
    if table(code.version).exceptions == "block stack":
        return _from_blocks(code)
    if not code.exceptiontable:
        return ()
    if decoded is None:
        decoded = decode_regions(code.exceptiontable, name=code.qualname)
    found = tuple(decoded)
    size = len(code.code)
    for region in found:
        if region.stop > size or region.target >= size:
            raise CodeError(
                "a protected region or its handler leaves the code",
                code=code.qualname,
                offset=region.start,
                expected=f"offsets below {size}",
                found=f"{region.start} to {region.stop}, handler {region.target}",
            )
    return found


class _OpenBlock(NamedTuple):
    """An entry of the block stack: one for each SETUP instruction and stack below it."""

    below: _OpenBlock | None
    target: int  # byte offset of the handler
    depth: int  # stack slots kept when the handler starts


def _from_blocks(code: Code) -> tuple[Region, ...]:
    """Follow every path once, with the depth of the stack and the open blocks."""
    instructions = code.instructions
    rows = table(code.version).by_code
    walk = _Walk(instructions, rows)
    walk.run()
    return tuple(_runs(instructions, walk.blocks))


class _Walk:
    """Depth and open blocks before each instruction, each instruction visited once."""

    def __init__(self, instructions: Instructions, rows: tuple[Opcode | None, ...]) -> None:
        self.instructions = instructions
        self.rows = rows
        self.index_at = {offset: index for index, offset in enumerate(instructions.offsets)}
        self.seen = bytearray(len(instructions))
        self.blocks: list[_OpenBlock | None] = [None] * len(instructions)
        self.pending: list[tuple[int, int, _OpenBlock | None]] = []

    def run(self) -> None:
        if len(self.instructions):
            self.pending.append((0, entry_depth(self.instructions.code), None))
        while self.pending:
            self._follow(*self.pending.pop())

    def _follow(self, index: int, depth: int, block: _OpenBlock | None) -> None:
        """Walk from one instruction to the end of its run."""
        opcodes, opargs = self.instructions.opcodes, self.instructions.opargs
        while index < len(opcodes):
            if self.seen[index]:
                if self.blocks[index] is not block:
                    raise self._fault(index, "paths that meet disagree about the open blocks")
                return
            self.seen[index] = 1
            self.blocks[index] = block
            row = self.rows[opcodes[index]]
            if row is None:
                return  # the graph refuses it
            block = self._step(index, row, depth, block)
            if row.ends is not None:
                return
            depth += row.effect(opargs[index])
            index += 1

    def _step(
        self, index: int, row: Opcode, depth: int, block: _OpenBlock | None
    ) -> _OpenBlock | None:
        """Follow the instruction's jump, and give the open blocks after it."""
        oparg = self.instructions.opargs[index]
        if row.blocks == "pop":
            if block is None:
                raise self._fault(index, "a block is closed that was never opened")
            return block.below
        if row.blocks == "call finally":
            return block  # the handler was entered from its SETUP instruction
        target = self.instructions.jump_target(index) if row.jump is not None else None
        if target is None:
            return block
        arrival = depth + row.effect(oparg, jump=True)
        if row.blocks is not None and row.blocks.startswith("push"):
            opened = _OpenBlock(block, target, max(0, arrival - HANDLER_VALUES))
            self._enter(target, arrival, block)
            return opened
        self._enter(target, arrival, block)
        return block

    def _enter(self, target: int, depth: int, block: _OpenBlock | None) -> None:
        index = self.index_at.get(target)
        if index is not None:  # the graph refuses other targets
            self.pending.append((index, depth, block))

    def _fault(self, index: int, what: str) -> CodeError:
        return CodeError(
            what,
            code=self.instructions.code.qualname,
            offset=self.instructions.offsets[index],
            line=self.instructions.positions[index].lineno,
            found=self.instructions.opname(index),
        )


def _runs(instructions: Instructions, blocks: list[_OpenBlock | None]) -> list[Region]:
    """Runs of instructions under the same block, as regions."""
    found: list[Region] = []
    start = 0
    for index in range(1, len(blocks) + 1):
        if index < len(blocks) and blocks[index] is blocks[start]:
            continue
        block = blocks[start]
        if block is not None:
            first, stop = instructions.offsets[start], instructions.end_offset(index - 1)
            found.append(Region(first, stop, block.target, block.depth, False))
        start = index
    return found


def entry_depth(code: Code) -> int:
    """Stack slots that are filled when the first instruction runs.

    One in a generator, coroutine or async generator of 3.10 and 3.11, whose first instructions
    take the value that starts it; else none.

    Source: CPython 3.10 and 3.11, Python/compile.c, `stackdepth`.
    """
    generator = bool(code.flags & 0x2A0)
    return table(code.version).numbers.get("generator_entry_depth", 0) if generator else 0
