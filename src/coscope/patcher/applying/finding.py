"""The loads that an edit of a constant is about, sorted by where they come from."""

from __future__ import annotations

from dataclasses import dataclass

from coscope.errors import hidden_for
from coscope.model import Code
from coscope.patcher.applying.literals import MADE, SOURCE, Load, Sorter, Sources, loads_of
from coscope.patcher.applying.matching import Exchange
from coscope.patcher.applying.pools import Constants
from coscope.patcher.edits.model import ReplaceConstant
from coscope.patcher.edits.selection import choose

__tracebackhide__ = hidden_for


@dataclass(frozen=True, slots=True)
class Found:
    """What one edit is about in one code object."""

    exchange: Exchange
    ours: list[Load]  # those that `where` and `index` choose
    hit: list[Load]  # to be changed
    holding: list[Load]  # containers that hold the constant
    made: list[Load]  # left: the compiler made them for itself
    unsure: list[Load]  # left: nothing tells


def find(
    code: Code,
    edit: ReplaceConstant,
    sources: Sources | None = None,
    loads: list[Load] | None = None,
) -> Found:
    """The loads that an edit is about, sorted.

    Args:
        code: The code object.
        edit: The edit.
        sources: Gives the source, as a witness.
        loads: All loads, if they are known.
    """
    exchange = Exchange.of(edit)
    loads = list(loads_of(code)) if loads is None else loads
    ours = _chosen(code, edit, loads)
    matching = [load for load in ours if exchange.matches(load.value)]
    holding = [load for load in ours if exchange.is_held_by(load.value)]
    sorter = Sorter(code, sources)
    holding = [load for load in holding if not sorter.is_names(load)]
    if edit.compiler_made:
        return Found(exchange, ours, matching, holding, [], [])
    sorts = [sorter.sort(load) for load in matching]
    by_sort = {sort: [load for load, each in zip(matching, sorts, strict=True) if each == sort]
               for sort in set(sorts)}  # fmt: skip
    hit, made = by_sort.pop(SOURCE, []), by_sort.pop(MADE, [])
    return Found(exchange, ours, hit, holding, made, [each for v in by_sort.values() for each in v])


def _chosen(code: Code, edit: ReplaceConstant, loads: list[Load]) -> list[Load]:
    """The loads that the edit is about; a load that only stores the docstring is left out."""
    within = {use.number for use in choose(code, edit.where, [load.use for load in loads])}
    docstring = Constants(code).docstring
    return [
        load
        for load in loads
        if load.use.number in within
        and (edit.index is None or load.slot == edit.index)
        and not _stores_docstring(code, load, docstring)
    ]


def _stores_docstring(code: Code, load: Load, docstring: int | None) -> bool:
    if load.slot is None or load.slot != docstring:
        return False
    return (
        next_is(code, load, "STORE_NAME") and code.instructions.argval(load.use.at + 1) == "__doc__"
    )


def next_is(code: Code, load: Load, *opnames: str) -> bool:
    """True if one of these instructions follows at once."""
    columns = code.instructions
    following = load.use.at + 1
    while following < len(columns) and columns.opname(following) == "EXTENDED_ARG":
        following += 1
    return following < len(columns) and columns.opname(following) in opnames
