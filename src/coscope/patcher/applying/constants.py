"""Constants: make the instructions that load one load another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from coscope.errors import AmbiguousEdit, NothingSelected, Refused, hidden_for
from coscope.model import Code, Constant
from coscope.opcodes import table
from coscope.patcher.applying.finding import Found, find, next_is
from coscope.patcher.applying.literals import Load, Sources, loading, loads_of
from coscope.patcher.applying.matching import Exchange, substituted
from coscope.patcher.applying.operands import Change, with_operands
from coscope.patcher.applying.pools import Constants
from coscope.patcher.applying.unfound import folded, not_found
from coscope.patcher.edits.model import ReplaceConstant
from coscope.patcher.edits.selection import short, shown

__tracebackhide__ = hidden_for

# After these, a constant is a tuple of names, which are names in the source too.
_TAKES_NAMES = frozenset({"CALL_KW", "CALL_FUNCTION_KW", "IMPORT_NAME", "MATCH_CLASS"})


def replace_constants(
    code: Code, edits: Sequence[ReplaceConstant], sources: Sources | None = None
) -> tuple[Code, dict[int, NothingSelected]]:
    """Apply edits to one code object, all at once: none sees what another has changed.

    Args:
        code: The code object.
        edits: The edits.
        sources: Gives the source, as a witness.

    Returns:
        The code, and for each edit that found nothing, by its index, what is to be said.

    Raises:
        Refused: It is a docstring, a tuple of keyword names or a code object.
        AmbiguousEdit: The compiler put it into another constant too, or two edits want to change
            the same load.
    """
    loads = list(loads_of(code))
    constants = Constants(code)
    unfound: dict[int, NothingSelected] = {}
    changed: dict[int, tuple[Load, Constant]] = {}
    within: dict[int, list[Exchange]] = {}  # by number of the load of a container
    containers: dict[int, Load] = {}
    for at, edit in enumerate(edits):
        found = _found(code, edit, sources, loads)
        if not found.hit and not (found.holding and edit.folded == "replace"):
            problem = not_found(code, edit, found, constants.docstring)
            if not isinstance(problem, NothingSelected):
                raise problem
            unfound[at] = problem
            continue
        if found.holding and edit.folded == "refuse":
            raise folded(code, found.exchange.old, found.holding)
        _note(code, found, changed)
        if edit.folded == "replace":
            for load in found.holding:
                containers[load.use.number] = load
                within.setdefault(load.use.number, []).append(found.exchange)
    for number, exchanges in within.items():
        if number not in changed:
            load = containers[number]
            changed[number] = load, substituted(load.value, exchanges)
    if not changed:
        return code, unfound
    return _rewritten(code, loads, list(changed.values()), constants), unfound


def _found(code: Code, edit: ReplaceConstant, sources: Sources | None, loads: list[Load]) -> Found:
    found = find(code, edit, sources, loads)
    if isinstance(found.exchange.old, Code) or isinstance(found.exchange.new, Code):
        raise Refused(
            "a code object is not a constant to be replaced",
            code=code.qualname,
            hint="Edit the nested code object instead: give its qualified name as `code`.",
        )
    for load in found.hit if edit.compiler_made else found.made * (not found.hit):
        _check_names(code, load)
    return found


def _note(code: Code, found: Found, changed: dict[int, tuple[Load, Constant]]) -> None:
    """Keep what one edit changes.

    Raises:
        AmbiguousEdit: Another one changes it too.
    """
    for load in found.hit:
        if load.use.number in changed:
            raise AmbiguousEdit(
                f"{short(load.value)} is to become two things at once",
                code=code.qualname,
                found=f"{short(changed[load.use.number][1])} and {short(found.exchange.new)}",
                hint="All pairs apply at once: give one for each constant, or use two patches.",
            )
        changed[load.use.number] = load, found.exchange.new


def _check_names(code: Code, load: Load) -> None:
    opcode = code.instructions.opcodes[load.use.at]
    named = opcode in loading(code.version).named or next_is(code, load, *_TAKES_NAMES)
    if type(load.value) is tuple and named:
        raise Refused(
            f"{short(load.value)} names the keywords or attributes that the code around it takes",
            code=code.qualname,
            line=code.instructions.positions[load.use.at][0],
            found=shown(code, load.use.at),
            hint="Choose other instructions with `where`.",
        )


def _rewritten(
    code: Code, loads: list[Load], wanted: list[tuple[Load, Constant]], constants: Constants
) -> Code:
    """Change entries in their place where nothing else needs them; else add new ones."""
    users = _users(loads)
    by_slot: dict[int | None, list[tuple[Load, Constant]]] = {}
    for load, value in wanted:
        by_slot.setdefault(load.slot, []).append((load, value))
    beside: list[tuple[Load, Constant]] = []
    # First all that change in their place: an entry that is added may be found among them.
    for slot, group in by_slot.items():
        value = group[0][1]
        all_of_it = slot is not None and users[slot] == {load.use.number for load, _ in group}
        if slot is not None and all_of_it and constants.takes(slot, value):
            constants.put(slot, value)
        else:
            beside += group
    changes = [_pointed(code, load, value, constants) for load, value in beside]
    changed = replace(code, consts=tuple(constants.items))
    return with_operands(changed, changes) if changes else changed


def _pointed(code: Code, load: Load, value: Constant, constants: Constants) -> Change:
    """An instruction that loads another entry; or that holds its value, as before."""
    kinds = loading(code.version)
    opcode = code.instructions.opcodes[load.use.at]
    if load.slot is not None:
        return Change(load.use, opcode, constants.add(value))
    if opcode in kinds.small and type(value) is int and 0 <= value < 256:
        return Change(load.use, opcode, value)
    rules = table(code.version)
    return Change(load.use, rules.opcodes["LOAD_CONST"].code, constants.add(value))


def _users(loads: list[Load]) -> Mapping[int, set[int]]:
    """The numbers of the instructions that load each entry of `co_consts`."""
    users: dict[int, set[int]] = {}
    for load in loads:
        if load.slot is not None:
            users.setdefault(load.slot, set()).add(load.use.number)
    return users
