"""Instructions that must stay together, because the interpreter steps from one to the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from coscope.patcher.listing import Listing

# What the frame is made ready with, before RESUME. `gen.throw()` and tracebacks count from there.
_PROLOGUE = frozenset(
    {"COPY_FREE_VARS", "MAKE_CELL", "RETURN_GENERATOR", "GEN_START", "POP_TOP", "NOP"}
)

# A generator that is suspended is known by the RESUME behind the YIELD_VALUE at which it stands
# (`gi_yieldfrom`, `close()`), and to 3.11 `throw()` looks for the SEND before it.
# Source: CPython 3.11.7 and 3.13.0, Objects/genobject.c, `_PyGen_yf`, `gen_close`, `_gen_throw`.
_ALWAYS = {"SEND": ("YIELD_VALUE",), "YIELD_VALUE": ("RESUME",)}


def bonds(listing: Listing) -> Mapping[int, str]:
    """The indexes before which nothing may be inserted, and why."""
    return dict(_bonds(listing))


def _bonds(listing: Listing) -> Iterator[tuple[int, str]]:
    for index in range(prologue(listing)):
        yield index, "the frame is not ready before RESUME"
    items = listing.items
    index_of = {id(item): index for index, item in enumerate(items)}
    names = [listing.opname(item) for item in items]
    for index, item in enumerate(items):
        row = listing.row(item)
        if row is None:
            continue
        follower = names[index + 1] if index + 1 < len(items) else None
        if follower is not None and follower in (*row.next, *_ALWAYS.get(row.name, ())):
            yield index + 1, f"the interpreter steps from {row.name} to {follower}"
        if row.lands and item.target is not None:
            target = index_of.get(id(item.target), len(items))
            # What the jump steps over, and what must follow it there.
            for step in range(target, min(target + len(row.lands), len(items))):
                if names[step] in row.lands:
                    yield step, f"{row.name} jumps over {names[step]}"


def prologue(listing: Listing) -> int:
    """Instructions up to the first RESUME, it included; 0 if the code does not begin so."""
    for index, item in enumerate(listing.items):
        name = listing.opname(item)
        if name == "RESUME":
            return index + 1
        if name not in _PROLOGUE:
            break
    if listing.items and listing.opname(listing.items[0]) == "GEN_START":
        return 1
    return 0
