"""One code object's part of the document: identity always, the rest of the card on demand."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, cast

from coscope import flow
from coscope.errors import StackError
from coscope.facts.names.inlined import Inlined, inlined_comprehensions
from coscope.flow.domains.conditions import graph
from coscope.flow.domains.depth import needed
from coscope.flow.domains.expression import Expression
from coscope.flow.loops import find_loops
from coscope.model import Argument, Code, Function, Span
from coscope.opcodes import Opcode, table
from coscope.render.document.cells import cells_of
from coscope.render.document.names import named
from coscope.render.document.shared import value_entry
from coscope.render.document.steps import steps
from coscope.render.document.values import Values, sort_of
from coscope.render.text.excerpt import excerpt
from coscope.render.text.measured import without_surrogates as clean

if TYPE_CHECKING:
    from coscope.render.schemas import report as schema


def identity(code: Code, index: int, parent: int | None) -> schema.Code:
    """Who this code object is: the part that every entry has."""
    lines = [span.lineno for span in code.instructions.positions if span.lineno]
    ends = [span.end_lineno for span in code.instructions.positions if span.end_lineno]
    return {
        "index": index,
        "key": clean(code.qualname),
        "parent": parent,
        "name": clean(code.name),
        "qualname": clean(code.qualname),
        "file": clean(code.filename),
        "first_line": code.firstlineno,
        "last_line": max([code.firstlineno, *lines, *ends]),
        "version": code.version,
        "release": code.release,
        "kind": code.kind,
        "flags": {"value": int(code.flags), "names": list(code.flags.names)},
        "bytes": len(code.code),
        "instruction_count": len(code.instructions),
        "cellvars": [clean(name) for name in code.cellvars],
        "freevars": [clean(name) for name in code.freevars],
        "detail": None,
    }


def local(argument: Argument) -> schema.Local:
    """One fast local."""
    return {
        "slot": argument.slot,
        "name": clean(argument.name),
        "kind": argument.kind,
        "default": value_entry(argument.default),
        "cell": argument.cell,
    }


class Detail:
    """The part of one card that comes from the control flow and the opcode tables."""

    def __init__(
        self,
        function: Function,
        lines: Sequence[str] = (),
        within: Code | None = None,
        *,
        values: bool = False,
    ) -> None:
        self.function = function
        self.within = within
        self.code = function.code
        self.lines = lines
        self.graph = graph(self.code)
        self.values = Values(self.graph) if values else None
        self.names = {block.index: block.name for block in self.graph.blocks}
        self.block_of: list[str] = [""] * len(self.code.instructions)
        for block in self.graph.blocks:
            self.block_of[block.start : block.stop] = [block.name] * (block.stop - block.start)
        self.rows = table(self.code.version).by_code
        self._texts: dict[str, str] = {}
        self._positions: dict[Span, list[int | None]] = {}
        self.warnings: list[str] = []
        self.needed: int | None = None  # stack slots
        self.frames: Sequence[Sequence[str] | None] = self._frames()
        self.stacked = self.needed is not None

    def _frames(self) -> Sequence[Sequence[str] | None]:
        try:
            frames = flow.run(self.graph, Expression())
            self.needed = needed(self.graph, frames)
        except StackError as error:
            self.warnings.append(f"no symbolic stack: {error}")
            return [None] * len(self.code.instructions)
        return frames

    @property
    def marked(self) -> bool:
        """True if instructions know columns, and there is source to mark."""
        positions = self.code.instructions.positions
        return bool(self.lines) and any(span.col_offset is not None for span in positions)

    def entry(self) -> schema.Detail:
        """The card's part of the document."""
        names, constants = named(self.function)
        found_loops = self.loops()
        return {
            "stack": {"needed": self.needed, "declared": self.code.stacksize},
            "locals": [local(argument) for argument in self.function.locals],
            "constants": constants,
            "instructions": [self.instruction(at) for at in range(len(self.code.instructions))],
            "blocks": self.blocks(found_loops),
            "loops": found_loops,
            "regions": self.regions(),
            "inlined": [self.inlined(found) for found in inlined_comprehensions(self.code)],
            "names": names,
            "cells": cells_of(self.function, self.within),
            "warnings": self.warnings,
            "marked": self.marked,
            "fields": None,
        }

    def shared(self, text: str) -> str:
        """A text of the document; equal ones are the same object."""
        text = clean(text)
        return self._texts.setdefault(text, text)

    def positions(self, span: Span) -> list[int | None]:
        """Shared by instructions of one span: an expression has several."""
        found = self._positions.get(span)
        if found is None:
            found = self._positions[span] = list(span)
        return found

    def block_at(self, offset: int) -> str:
        """Name of the block that holds the instruction at a byte offset."""
        return self.block_of[self.code.instructions.at(offset).index]

    def instruction(self, at: int) -> schema.Instruction:
        """One instruction, the stack before it and the source under it."""
        columns = self.code.instructions
        span = columns.positions[at]
        frame = self.frames[at]
        target = columns.jump_target(at)
        row = self.rows[columns.opcodes[at]]
        oparg = columns.opargs[at]
        entry: schema.Instruction = {
            "offset": columns.offsets[at],
            "opcode": columns.opcodes[at],
            "opname": columns.opname(at),
            "sort": sort_of(row),
            "pops": 0 if row is None else row.popped(oparg),
            "pushes": 0 if row is None else row.pushed(oparg),
            "arg": columns.arg(at),
            "argrepr": self.shared(columns.argrepr(at)),
            "line": span.lineno,
            "positions": self.positions(span),
            "block": self.block_of[at],
            "jump": None if target is None else self.block_at(target),
            "stack": None if frame is None else [self.shared(text) for text in frame],
            "source": _cleaned(excerpt(self.lines, span)),
        }
        if self.values is not None:
            entry["producers"], entry["kinds"] = self.values.before(at)
        return _small(entry)

    def blocks(self, loops_found: list[schema.Loop]) -> list[schema.Block]:
        """The blocks: where they are, what they do, and the edges between them."""
        columns = self.code.instructions
        inside: dict[str, set[str]] = {block.name: set() for block in self.graph.blocks}
        for loop in loops_found:
            for name in loop["blocks"]:
                inside[name].add(loop["head"])
        return [
            {
                "name": block.name,
                "start": columns.offsets[block.start],
                "stop": columns.end_offset(block.stop - 1),
                **_lines(columns.positions[block.start : block.stop]),
                "reachable": block.reachable,
                "loop_head": block.name in inside[block.name],
                "edges": [self.edge(edge, inside[block.name]) for edge in block.edges],
                "steps": steps(self.code, block.start, block.stop, self.frames) or self.left(block),
            }
            for block in self.graph.blocks
        ]

    def left(self, block: flow.Block) -> list[schema.BlockStep]:
        """What a block that does nothing else leaves on the stack: the `b` of `a and b`."""
        columns = self.code.instructions
        if any(edge.kind in ("true", "false") for edge in block.edges):
            return []
        for at in range(block.stop - 1, block.start - 1, -1):
            row = self.rows[columns.opcodes[at]]
            if row is None or row.name == "NOP" or row.jump is not None:
                continue
            return self._last_pushed(at, row)
        return []

    def _last_pushed(self, at: int, row: Opcode) -> list[schema.BlockStep]:
        """The text of what one instruction pushes, if it is reached and pushes something new."""
        columns = self.code.instructions
        made = {slot.name for slot in row.push_slots} - {slot.name for slot in row.pop_slots}
        span = columns.positions[at]
        text = excerpt(self.lines, span) if span.lineno == span.end_lineno else None
        if text is None and not row.pop_slots:
            text = columns.argrepr(at).removesuffix(" + NULL")
        if not made or not text or self.frames[at] is None:
            return []
        shown = " ".join(clean(text).split())
        return [{"offset": columns.offsets[at], "line": span.lineno, "text": shown}]

    def edge(self, edge: flow.Edge, heads: set[str]) -> schema.Edge:
        """One edge; `heads` are those of the loops around its source."""
        target = self.names[edge.target]
        return {
            "kind": edge.kind,
            "target": target,
            "label": _cleaned(edge.label),
            "back": target in heads,
        }

    def loops(self) -> list[schema.Loop]:
        """The natural loops, by block names, in code order of their heads."""
        return [
            {
                "head": self.names[loop.header],
                "blocks": [self.names[index] for index in sorted(loop.blocks)],
                "depth": loop.depth,
            }
            for loop in find_loops(self.graph)
        ]

    def regions(self) -> list[schema.Region]:
        """The protected ranges, by offsets and by the blocks that they hold."""
        offsets = self.code.instructions.offsets
        starts = [offsets[block.start] for block in self.graph.blocks]
        found: list[schema.Region] = []
        for region in self.graph.regions:
            first, last = bisect_left(starts, region.start), bisect_left(starts, region.stop)
            found.append(
                {
                    "start": region.start,
                    "stop": region.stop,
                    "target": region.target,
                    "depth": region.depth,
                    "lasti": region.keeps_lasti,
                    "first_block": self.names[first] if first < last else None,
                    "last_block": self.names[last - 1] if first < last else None,
                    "handler": self.block_at(region.target),
                }
            )
        return found

    def inlined(self, found: Inlined) -> schema.DetailInlined:
        """One comprehension without a code object of its own."""
        return {
            "kind": found.kind,
            "line": found.span.lineno,
            "offset": found.offset,
            "names": [clean(name) for name in found.names],
            "source": _cleaned(excerpt(self.lines, found.span)),
        }


class _Row:
    """Of this class only the namespaces are used."""


def _small(entry: schema.Instruction) -> schema.Instruction:
    """The same dict in less than half the memory: namespaces of one class share their keys."""
    row = _Row()
    for key, value in entry.items():
        setattr(row, key, value)
    return cast("schema.Instruction", vars(row))


def _cleaned(text: str | None) -> str | None:
    return None if text is None else clean(text)


def _lines(spans: Iterable[Span]) -> schema.LineRange:
    """First and last source line of some instructions."""
    lines = [span.lineno for span in spans if span.lineno]
    return {"line": min(lines, default=None), "last_line": max(lines, default=None)}
