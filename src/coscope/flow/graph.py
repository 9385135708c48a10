"""Control-flow graph of a code object: basic blocks and the edges between them."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import compress, pairwise
from typing import NamedTuple

from coscope.errors import CodeError
from coscope.flow.regions import find_regions
from coscope.model import Code, Instructions, Region
from coscope.opcodes import Opcode, Table, table

# How an instruction ends a block: one entry of `endings` for each opcode number.
_PLAIN, _JUMP, _BRANCH, _END, _MEANINGLESS = range(5)

# Kinds of the two edges of a test that asks for the truth of something: taken, not taken.
_TRUTH = {
    "true": ("true", "false"),
    "false": ("false", "true"),
    "none": ("true", "false"),
    "not none": ("false", "true"),
    "exception match": ("true", "false"),
    "not exception match": ("false", "true"),
}
_PASSING = ("jump", "next")  # of all others


class Edge(NamedTuple):
    """One way in which control leaves a block.

    Kinds: "next" (falls through), "jump", "true" and "false" (the outcome of the condition that is
    the label), "exception" (to the handler, from any instruction of the block that raises).
    """

    kind: str
    source: int  # index of a block
    target: int  # index of a block
    label: str | None = None  # text of the condition; None if there is none, or it is not known
    jumps: bool = False  # the jump of the block's last instruction is taken


@dataclass(frozen=True, slots=True)
class Block:
    """A run of instructions that is entered at its first and left at its last one."""

    index: int
    start: int  # index of the first instruction
    stop: int  # index after the last one
    edges: tuple[Edge, ...]  # next, jump, exception: each at most once
    reachable: bool  # some path from the entry leads here
    region: Region | None  # the protected region in which the block lies

    @property
    def name(self) -> str:
        """`B0`, `B1`, ... in code order."""
        return f"B{self.index}"


@dataclass(frozen=True)
class Graph:
    """The control-flow graph of one code object."""

    code: Code
    blocks: tuple[Block, ...]  # in code order; the first is the entry
    regions: tuple[Region, ...]

    @cached_property
    def table(self) -> Table:
        """Opcode table of the code object's version."""
        return table(self.code.version)

    @cached_property
    def arrivals(self) -> tuple[tuple[Edge, ...], ...]:
        """The edges into each block, by block index, in order of their sources."""
        found: list[list[Edge]] = [[] for _ in self.blocks]
        for block in self.blocks:
            for edge in block.edges:
                found[edge.target].append(edge)
        return tuple(map(tuple, found))

    @cached_property
    def order(self) -> tuple[int, ...]:
        """Indexes of the reachable blocks in reverse postorder, the entry first."""
        return tuple(_reverse_postorder(self.blocks))

    @cached_property
    def _starts(self) -> list[int]:
        return [block.start for block in self.blocks]

    def block_of(self, index: int) -> Block:
        """The block that holds the instruction with this index."""
        return self.blocks[bisect_right(self._starts, index) - 1]


def build(code: Code, decoded: Sequence[Region] | None = None) -> Graph:
    """Build the graph, without labels; time is linear in the instructions and regions.

    Args:
        code: The code object.
        decoded: The entries of its exception table, if they are known.

    Raises:
        CodeError: A jump or handler leads out of the code or into the middle of an instruction,
            an opcode does not exist in the version, or control can fall off the end.
    """
    instructions = code.instructions
    size = len(instructions)
    if not size:
        raise CodeError("there are no instructions", code=code.qualname)
    opcodes = bytes(instructions.opcodes)
    endings = opcodes.translate(_endings(code.version)[0])
    jumps: dict[int, int] = {}  # instruction index -> index of the jump's target
    enders = list(compress(range(size), endings))  # instructions that end a block
    for index in enders:
        if endings[index] == _MEANINGLESS:
            raise fault(instructions, index, "this version has no such opcode", "an opcode")
        if endings[index] != _END:
            offset = instructions.jump_target(index)
            jumps[index] = index_at(instructions, offset, "jump target", index)
    regions = find_regions(code, decoded)
    handlers = {
        region.target: index_at(instructions, region.target, "handler") for region in regions
    }
    starts = {0, *jumps.values(), *(index + 1 for index in enders), *handlers.values()}
    for region in regions:
        starts.add(bisect_left(instructions.offsets, region.start))
        starts.add(bisect_left(instructions.offsets, region.stop))
    starts.discard(size)
    bounds = [*sorted(starts), size]
    protection = _protection(instructions, bounds, regions)
    edges = _connect(code, bounds, jumps, handlers, protection)
    reached = _reach(edges)
    if len(bounds) - 2 in reached and endings[-1] not in (_JUMP, _END):
        raise fault(instructions, size - 1, "control falls off the end", "a jump, return or raise")
    blocks = tuple(
        Block(number, start, stop, edges[number], number in reached, protection[number])
        for number, (start, stop) in enumerate(pairwise(bounds))
    )
    return Graph(code, blocks, regions)


@cache
def _endings(version: str) -> tuple[bytes, bytes]:
    """By opcode number: how it ends a block, and 1 if it can raise. For bytes.translate."""
    rows = table(version).by_code
    return bytes(map(_ending, rows)), bytes(row is not None and row.raises for row in rows)


def _ending(row: Opcode | None) -> int:
    if row is None:
        return _MEANINGLESS
    if row.blocks is not None and row.blocks.startswith("push"):
        return _PLAIN  # a SETUP: the way to its handler is an exception
    if row.jump is not None:
        return _JUMP if row.ends is not None else _BRANCH
    return _END if row.ends is not None else _PLAIN


def _connect(
    code: Code,
    bounds: Sequence[int],
    jumps: dict[int, int],
    handlers: dict[int, int],
    protection: Sequence[Region | None],
) -> list[tuple[Edge, ...]]:
    """The edges out of the block between each two bounds."""
    opcodes = bytes(code.instructions.opcodes)
    rows = table(code.version).by_code
    endings, raising = _endings(code.version)
    raises = opcodes.translate(raising)
    block_at = {start: number for number, start in enumerate(bounds)}
    found = []
    for number, (start, stop) in enumerate(pairwise(bounds)):
        edges = []
        last = stop - 1
        row = rows[opcodes[last]]
        kinds = _TRUTH.get(row.tests, _PASSING) if row is not None and row.tests else _PASSING
        if endings[opcodes[last]] in (_PLAIN, _BRANCH) and stop < len(opcodes):
            edges.append(Edge(kinds[1], number, number + 1))
        if last in jumps:
            edges.append(Edge(kinds[0], number, block_at[jumps[last]], jumps=True))
        region = protection[number]
        if region is not None and raises.find(1, start, stop) >= 0:
            edges.append(Edge("exception", number, block_at[handlers[region.target]]))
        found.append(tuple(edges))
    return found


def _protection(
    instructions: Instructions, bounds: Sequence[int], regions: Sequence[Region]
) -> list[Region | None]:
    """The region of each block: the first in the table that covers it, as the interpreter searches.

    Each block is claimed once and then skipped, so overlapping regions cost no more.
    """
    owners: list[Region | None] = [None] * (len(bounds) - 1)
    free = list(range(len(bounds)))  # free[n]: some block from n on that may still be unclaimed
    for region in regions:
        first = bisect_left(bounds, bisect_left(instructions.offsets, region.start))
        last = bisect_left(bounds, bisect_left(instructions.offsets, region.stop))
        number = _next_free(free, first)
        while number < last:
            owners[number] = region
            free[number] = number + 1
            number = _next_free(free, number)
    return owners


def _next_free(free: list[int], number: int) -> int:
    root = number
    while free[root] != root:
        root = free[root]
    while free[number] != root:
        free[number], number = root, free[number]
    return root


def _reach(edges: Sequence[tuple[Edge, ...]]) -> set[int]:
    """The blocks to which the entry leads."""
    reached = {0}
    pending = [0]
    while pending:
        for edge in edges[pending.pop()]:
            if edge.target not in reached:
                reached.add(edge.target)
                pending.append(edge.target)
    return reached


def _reverse_postorder(blocks: Sequence[Block]) -> list[int]:
    seen = {0}
    finished: list[int] = []
    # The last way first, so that in the result a loop's body comes before what follows the loop.
    pending = [(0, reversed(blocks[0].edges))]
    while pending:
        number, edges = pending[-1]
        for edge in edges:
            if edge.target not in seen:
                seen.add(edge.target)
                pending.append((edge.target, reversed(blocks[edge.target].edges)))
                break
        else:
            finished.append(number)
            pending.pop()
    return finished[::-1]


def index_at(
    instructions: Instructions, offset: int | None, what: str, source: int | None = None
) -> int:
    """Index of the instruction that starts at `offset`; `what` and `source` are for the error."""
    offsets = instructions.offsets
    index = len(offsets) if offset is None else bisect_left(offsets, offset)
    if (
        index == len(offsets)
        or offsets[index] != offset
        or (index and instructions.opcodes[index - 1] == _extended_arg(instructions.code.version))
    ):
        raise CodeError(
            f"the {what} is no start of an instruction",
            code=instructions.code.qualname,
            offset=None if source is None else offsets[source],
            line=None if source is None else line_of(instructions, source),
            expected=f"the start of an instruction in 0 to {offsets[-1]}",
            found=offset,
        )
    return index


@cache
def _extended_arg(version: str) -> int:
    return table(version).extended_arg


def fault(instructions: Instructions, index: int, what: str, expected: str) -> CodeError:
    """An error at an instruction."""
    return CodeError(
        what,
        code=instructions.code.qualname,
        offset=instructions.offsets[index],
        line=line_of(instructions, index),
        expected=expected,
        found=instructions.opname(index),
    )


def line_of(instructions: Instructions, index: int) -> int | None:
    """Source line of an instruction; None if the line table is broken, which is not at issue."""
    try:
        return instructions.positions[index].lineno
    except CodeError:
        return None
