"""What an effect wants and gives in the kind domain, compiled once from its table row."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from coscope.flow.domains import kind_makers as makers
from coscope.flow.effects import Effect
from coscope.opcodes import Table, kinds, table
from coscope.opcodes.kinds import Wanted, given, wanted

BORROWING = "LOAD_FAST_BORROW"  # so begin the names of opcodes that borrow
CHANGES = ("write", "delete", "save", "make")  # verbs of accesses that change a fast local
_KEPT_SLOTS = 64  # new slots of an effect whose plan is kept; an oparg can ask for 2147483647
_IN_NAMESPACE = ("read name", "read global", "read name or global", "write name", "write global")


class Plan(NamedTuple):
    """What an effect wants and gives, compiled once."""

    plain: bool  # every operand must be an object, nothing more
    wants: tuple[tuple[int, int, Wanted, str], ...]  # start in popped, count, what, slot name
    new: tuple[int, ...]  # kinds of the new slots, deepest first
    moved: tuple[
        tuple[int, int], ...
    ]  # of these, the ones that keep a kind: place, start in popped
    makes: Callable[..., Sequence[int]] | None
    local: tuple[tuple[str, int], ...]  # access, slot of the locals
    name: int | None  # index of the name that is read or written in a namespace
    reads: int | None  # where the local's bits are, if all it does is to read one
    writes: int | None  # the same of an instruction that writes one
    handed: tuple[tuple[int, int], ...]  # new slots that may be operands: place, start in popped


def plan_of(version: str, effect: Effect) -> Plan:
    """Compile the table's types for an effect; kept, if it is small."""
    small = effect.fresh <= _KEPT_SLOTS
    return kept_plan_of(version, effect) if small else _compile(version, effect)


@lru_cache(maxsize=16_384)
def changes_of(version: str, effect: Effect) -> frozenset[int]:
    """Slots of the locals that an instruction changes."""
    local = plan_of(version, effect).local
    return frozenset(
        slot
        for access, slot in local
        if access.split(" ")[0] in CHANGES
        and (access.split(" ", 1)[1] == "local" or access.startswith("make"))
    )


@lru_cache(maxsize=16_384)
def kept_plan_of(version: str, effect: Effect) -> Plan:
    return _compile(version, effect)


def _compile(version: str, effect: Effect) -> Plan:
    row, oparg = effect.row, effect.oparg
    rules = table(version)
    pops, pushes = row.pop_slots, (*row.push_slots, *row.jump_push_slots)
    makes = row.makes
    if row.operand.startswith("intrinsic"):
        names = rules.lists[row.operand.replace(" ", "_")]
        trusting = rules.intrinsics.get(names[oparg]) if 0 <= oparg < len(names) else None
        if trusting is not None:
            pops, pushes = trusting.pop_slots, trusting.push_slots
            makes = trusting.makes
    wants = []
    start = 0
    for slot in pops:
        count = slot.size(oparg)
        if count:
            want = wanted(slot.type)
            if makes == "tuple":  # a closure: its maker looks at cells
                want = Wanted(want.atoms | kinds.TYPED_CELL)
            wants.append((start, count, want, slot.type or "object"))
        start += count
    types = {slot.name: slot.type for slot in pushes if slot.size(oparg)}
    taken = {slot.name: slot.type for slot in pops}
    new: list[int] = []
    moved: list[tuple[int, int]] = []
    for name, count in effect.new:
        word = taken.get(name, types.get(name))
        if name in taken and word not in kinds.GIVEN:
            moved.append((len(new), next(start for slot, start, _ in effect.pops if slot == name)))
            word = None
        new += [given(word)] * count
    local = tuple(_touched(rules, effect))
    return Plan(
        plain=all(want == wanted(None) for _, _, want, _ in wants),
        wants=tuple(wants),
        new=tuple(new),
        moved=tuple(moved),
        makes=makers.MAKERS[makes] if makes else None,
        local=local,
        name=None if all(key.startswith(".") for key in rules.contract) else _named(effect),
        reads=None if row.name.startswith(BORROWING) else _only(local, "read local"),
        writes=_only(local, "write local"),
        handed=tuple(_handed(effect)),
    )


def _handed(effect: Effect) -> Iterator[tuple[int, int]]:
    at = 0
    starts = {slot: start for slot, start, count in effect.pops if count}
    for name, count in effect.new:
        origin = effect.row.hands_on.get(name)
        if origin is not None:
            yield at, starts[origin]
        at += count


def _only(local: Sequence[tuple[str, int]], access: str) -> int | None:
    if len(local) != 1 or local[0][0] != access:
        return None
    return local[0][1] * kinds.LOCAL_BITS


def _named(effect: Effect) -> int | None:
    row = effect.row
    if not row.access or row.access[0] not in _IN_NAMESPACE or not row.operand.startswith("name"):
        return None
    return effect.oparg >> int(row.operand[6:] or 0)


def _touched(rules: Table, effect: Effect) -> list[tuple[str, int]]:
    """Accesses to fast locals: verb and slot."""
    row, oparg = effect.row, effect.oparg
    if not row.access or rules.deref != "localsplus":
        return []
    if row.operand == "local pair":
        return list(zip(row.access, (oparg >> 4, oparg & 15), strict=True))
    if row.operand in ("local", "deref"):
        return [(row.access[0], oparg)]
    return []
