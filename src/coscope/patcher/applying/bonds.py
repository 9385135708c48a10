"""Instructions that must stay together, because the interpreter steps from one to the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from coscope.patcher.listing.listing import Listing

# What prepares the frame of a function that is not a generator.
_PROLOGUE = frozenset({"COPY_FREE_VARS", "MAKE_CELL", "NOP"})

# What the interpreter itself relies on is in the tables, by version (`next`, `bonds`, `lands`):
# - A suspended generator is known by the RESUME behind its YIELD_VALUE (`gi_yieldfrom`, `close()`),
#   and to 3.11 `throw()` looks for the SEND before it. Source: CPython 3.11.7 and 3.13.0,
#   Objects/genobject.c, `_PyGen_yf`, `gen_close`, `_gen_throw`.
# - From 3.15 on a call handles no interrupt where LOAD_SPECIAL is the unit before it: else Ctrl-C
#   between `__enter__` and the body of a `with` skips `__exit__`. Source: CPython GH-148874.
_PROVED_TOGETHER = {
    # The verifier proves only from both together that what is left is an exception and not None,
    # and that the argument of a generator expression need not be an iterator.
    "COPY": ("POP_JUMP_IF_NOT_NONE", "POP_JUMP_FORWARD_IF_NOT_NONE"),
    "LOAD_FAST": ("GET_ANEXT",),
}


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
        others = (*row.next, *row.bonds, *_PROVED_TOGETHER.get(row.name, ()))
        for follower in names[index + 1 : index + 2]:
            if follower in others:
                yield index + 1, f"the interpreter steps from {row.name} to {follower}"
        if row.lands and item.target is not None:
            target = index_of.get(id(item.target), len(items))
            # What the jump steps over, and what must follow it there.
            for step in range(target, min(target + len(row.lands), len(items))):
                if names[step] in row.lands:
                    yield step, f"{row.name} jumps over {names[step]}"


def prologue(listing: Listing) -> int:
    """Instructions before which the frame is not ready, up to RESUME; 0 if there are none."""
    names = [listing.opname(item) for item in listing.items]
    if "RETURN_GENERATOR" in names:
        at = names.index("RETURN_GENERATOR")
        before = listing.rules.opcodes["RETURN_GENERATOR"].after
        if set(before).issuperset(names[:at]) and "RESUME" in names[at:]:
            return names.index("RESUME", at) + 1
    if names and names[0] == "GEN_START":
        return 1
    for index, name in enumerate(names):
        if name == "RESUME":
            return index + 1
        if name not in _PROLOGUE:
            break
    return 0
