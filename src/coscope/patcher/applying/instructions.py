"""Instructions: insert, replace, remove."""

from __future__ import annotations

from coscope.errors import Refused, hidden_for
from coscope.model import Code
from coscope.patcher.applying.assembler import Assembler
from coscope.patcher.applying.bonds import bonds, prologue
from coscope.patcher.edits.model import Insert, Remove, Replace
from coscope.patcher.edits.selection import require, shown
from coscope.patcher.listing.layout import lay_out
from coscope.patcher.listing.listing import Item, Listing, decode_listing

__tracebackhide__ = hidden_for


def insert(code: Code, edit: Insert) -> Code:
    """Insert instructions before, or after, each of those chosen.

    Raises:
        NothingSelected: None is chosen.
        Refused: Nothing may be put there, or control cannot reach it.
    """
    listing = decode_listing(code)
    assembler = Assembler(listing)
    closed = bonds(listing)
    items = listing.items
    woven: dict[int, list[Item]] = {}
    for use in require(code, edit.where):
        at = use.number + edit.after
        reason = closed.get(at)
        if edit.after:
            reason = reason or _no_way(listing, use.number)
        if reason is not None:
            if edit.inseparable == "skip":
                continue
            raise Refused(
                f"nothing can be inserted {'after' if edit.after else 'before'} it: {reason}",
                code=code.qualname,
                offset=code.instructions.offsets[use.at],
                found=shown(code, use.at),
                hint="Say inseparable='skip' to leave such places out.",
            )
        here = items[at] if at < len(items) else None
        woven[use.number] = assembler.sequence(edit.instructions, items[use.number], here)
    if edit.after:
        listing.weave({}, woven)
    else:
        listing.weave(woven, passing=() if edit.landing else woven)
    return finish(listing, assembler)


def replace(code: Code, edit: Replace) -> Code:
    """Put other instructions in the place of each of those chosen.

    Raises:
        NothingSelected: None is chosen.
        Refused: One is part of the prologue, or the result cannot run.
    """
    listing = decode_listing(code)
    assembler = Assembler(listing)
    items = listing.items
    chosen = require(code, edit.where)
    first = prologue(listing)
    gone = {use.number for use in chosen}
    exchanged: dict[int, list[Item]] = {}
    for use in chosen:
        if use.number < first:
            raise Refused(
                "the frame is not ready without it",
                code=code.qualname,
                offset=code.instructions.offsets[use.at],
                found=shown(code, use.at),
            )
        after = next((at for at in range(use.number + 1, len(items)) if at not in gone), None)
        here = None if after is None else items[after]
        exchanged[use.number] = assembler.sequence(edit.instructions, items[use.number], here)
    listing.exchange(exchanged)
    return finish(listing, assembler)


def remove(code: Code, edit: Remove) -> Code:
    """Take out each of the instructions chosen.

    Raises:
        NothingSelected: None is chosen.
        Refused: One is part of the prologue, or the result cannot run.
    """
    return replace(code, Replace(where=edit.where, instructions=()))


def finish(listing: Listing, assembler: Assembler) -> Code:
    """Lay a listing out with the constants and names that were added."""
    listing.code = assembler.finish()
    return lay_out(listing)


def _no_way(listing: Listing, number: int) -> str | None:
    row = listing.row(listing.items[number])
    if row is not None and row.ends is not None:
        return f"control never goes on behind {row.name}"
    return None
