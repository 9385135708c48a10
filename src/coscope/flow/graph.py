"""Control-flow graph of a code object: basic blocks and the edges between them."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import NamedTuple

from coscope.errors import CodeError
from coscope.flow.regions import regions as find_regions
from coscope.model import Code, Instructions, Region
from coscope.opcodes import Opcode, Table, table

# How an instruction ends a block: one entry of `endings` for each opcode number.
_PLAIN, _JUMP, _BRANCH, _END, _PUSH_BLOCK, _CALL_FINALLY, _MEANINGLESS = range(7)

# Tests that ask for the truth of something; the edges of other tests are "next" and "jump".
_TRUTH = {
    "true": ("true", "false"),
    "false": ("false", "true"),
    "none": ("true", "false"),
    "not none": ("false", "true"),
    "exception match": ("true", "false"),
    "not exception match": ("false", "true"),
}


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


class Block(NamedTuple):
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


def build(code: Code) -> Graph:
    """Build the graph, without labels; time is linear in the instructions and regions.

    Raises:
        CodeError: A jump or handler leads out of the code or into the middle of an instruction,
            an opcode does not exist in the version, or control can fall off the end.
    """
    instructions = code.instructions
    if not len(instructions):
        raise CodeError("there are no instructions", code=code.qualname)
    endings = _endings(code.version)
    regions = find_regions(code)
    jumps: dict[int, int] = {}  # instruction index -> index of the jump's target
    enders: list[int] = []  # instructions that end a block
    for index, opcode in enumerate(instructions.opcodes):
        ending = endings[opcode]
        if ending == _PLAIN or ending == _PUSH_BLOCK:
            continue
        if ending == _MEANINGLESS:
            raise _fault(instructions, index, "this version has no such opcode", "an opcode")
        enders.append(index)
        if ending != _END:
            jumps[index] = _target(instructions, index)
    handlers = {
        region.target: index_at(instructions, region.target, "handler") for region in regions
    }
    starts = {0, *jumps.values(), *(index + 1 for index in enders), *handlers.values()}
    for region in regions:
        starts.add(bisect_left(instructions.offsets, region.start))
        starts.add(bisect_left(instructions.offsets, region.stop))
    starts.discard(len(instructions))
    bounds = [*sorted(starts), len(instructions)]
    blocks = _connect(code, bounds, jumps, handlers, regions)
    graph = Graph(code, _mark(blocks), regions)
    _check_end(graph, endings)
    return graph


@lru_cache(maxsize=None)
def _endings(version: str) -> bytes:
    return bytes(_ending(row) for row in table(version).by_code)


def _ending(row: Opcode | None) -> int:
    if row is None:
        return _MEANINGLESS
    if row.blocks == "call finally":
        return _CALL_FINALLY
    if row.blocks is not None and row.blocks.startswith("push"):
        return _PUSH_BLOCK
    if row.jump is not None and row.ends == "jump":
        return _JUMP
    if row.jump is not None:
        return _BRANCH
    return _END if row.ends is not None else _PLAIN


def _connect(
    code: Code,
    bounds: Sequence[int],
    jumps: dict[int, int],
    handlers: dict[int, int],
    regions: Sequence[Region],
) -> list[Block]:
    """Make the blocks between `bounds`, with their edges."""
    instructions = code.instructions
    rows = table(code.version).by_code
    endings = _endings(code.version)
    protection = _protection(instructions, bounds, regions)
    block_at = {start: number for number, start in enumerate(bounds)}
    blocks = []
    for number, (start, stop) in enumerate(pairwise(bounds)):
        edges = []
        opcode = instructions.opcodes[stop - 1]
        ending = endings[opcode]
        row = rows[opcode]
        next_kind, jump_kind = "next", "jump"
        if ending == _BRANCH and row is not None and row.tests in _TRUTH:
            jump_kind, next_kind = _TRUTH[row.tests]
        if ending != _JUMP and ending != _END and stop < len(instructions):
            edges.append(Edge(next_kind, number, number + 1))
        if stop - 1 in jumps:
            edges.append(Edge(jump_kind, number, block_at[jumps[stop - 1]], jumps=True))
        region = protection[number]
        if region is not None and _raises(rows, instructions.opcodes[start:stop]):
            edges.append(Edge("exception", number, block_at[handlers[region.target]]))
        blocks.append(Block(number, start, stop, tuple(edges), False, region))
    return blocks


def _raises(rows: Sequence[Opcode | None], opcodes: Iterable[int]) -> bool:
    return any(row is not None and row.raises for row in map(rows.__getitem__, opcodes))


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


def _mark(blocks: Sequence[Block]) -> tuple[Block, ...]:
    """Mark the blocks that the entry can reach."""
    reached = {0}
    pending = [0]
    while pending:
        for edge in blocks[pending.pop()].edges:
            if edge.target not in reached:
                reached.add(edge.target)
                pending.append(edge.target)
    return tuple(block._replace(reachable=block.index in reached) for block in blocks)


def _check_end(graph: Graph, endings: bytes) -> None:
    last = graph.blocks[-1]
    instructions = graph.code.instructions
    if last.reachable and endings[instructions.opcodes[last.stop - 1]] not in (_JUMP, _END):
        index = last.stop - 1
        raise _fault(instructions, index, "control falls off the end", "a jump, return or raise")


def _reverse_postorder(blocks: Sequence[Block]) -> list[int]:
    seen = {0}
    finished: list[int] = []
    pending = [(0, iter(blocks[0].edges))]
    while pending:
        number, edges = pending[-1]
        for edge in edges:
            if edge.target not in seen:
                seen.add(edge.target)
                pending.append((edge.target, iter(blocks[edge.target].edges)))
                break
        else:
            finished.append(number)
            pending.pop()
    return finished[::-1]


def _target(instructions: Instructions, index: int) -> int:
    """Index of the instruction to which this one jumps."""
    offset = instructions.jump_target(index)
    if offset is None:
        raise _fault(instructions, index, "the jump has no target", "a target")
    return index_at(instructions, offset, "jump target", index)


def index_at(instructions: Instructions, offset: int, what: str, source: int | None = None) -> int:
    """Index of the instruction that starts at `offset`; `what` and `source` are for the error."""
    offsets = instructions.offsets
    index = bisect_left(offsets, offset)
    extended = table(instructions.code.version).extended_arg
    if (
        index == len(offsets)
        or offsets[index] != offset
        or (index and instructions.opcodes[index - 1] == extended)
    ):
        raise CodeError(
            f"the {what} is no start of an instruction",
            code=instructions.code.qualname,
            offset=None if source is None else offsets[source],
            line=None if source is None else instructions.positions[source].lineno,
            expected=f"the start of an instruction in 0 to {offsets[-1]}",
            found=offset,
        )
    return index


def _fault(instructions: Instructions, index: int, what: str, expected: str) -> CodeError:
    return CodeError(
        what,
        code=instructions.code.qualname,
        offset=instructions.offsets[index],
        line=instructions.positions[index].lineno,
        expected=expected,
        found=instructions.opname(index),
    )
