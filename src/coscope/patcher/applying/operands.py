"""Other opcodes and opargs for single instructions, moved about only if they need more room."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import NamedTuple

from coscope.model import Code
from coscope.opcodes import table
from coscope.patcher.edits.selection import Use
from coscope.patcher.listing.layout import lay_out
from coscope.patcher.listing.listing import decode_listing


class Change(NamedTuple):
    """What an instruction becomes."""

    use: Use
    opcode: int  # with as many caches as the one before
    oparg: int


def with_operands(code: Code, changes: Iterable[Change]) -> Code:
    """Change opcodes and opargs.

    Raises:
        CodeError: An instruction needs a prefix, and the code around it cannot be moved because it
            contradicts itself.
        Refused: The same, and the version is one whose code cannot be moved.
    """
    wanted = list(changes)
    columns = code.instructions
    steps = table(code.version).steps
    prefix = table(code.version).extended_arg
    fits = all(
        change.oparg < 256
        and steps[change.opcode] == steps[columns.opcodes[change.use.at]]
        and not (change.use.at and columns.opcodes[change.use.at - 1] == prefix)
        for change in wanted
    )
    if fits:
        raw = bytearray(code.code)
        for change in wanted:
            offset = columns.offsets[change.use.at]
            raw[offset : offset + 2] = change.opcode, change.oparg
        return replace(code, code=bytes(raw))
    listing = decode_listing(code)
    for change in wanted:
        item = listing.items[change.use.number]
        item.opcode, item.oparg, item.prefixes = change.opcode, change.oparg, 0
    return lay_out(listing)
