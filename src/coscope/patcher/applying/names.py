"""Names of globals, attributes and imported modules: let instructions use another one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from coscope.errors import NothingSelected, PatchError, Refused, hidden_for
from coscope.model import Code
from coscope.opcodes import Opcode, table
from coscope.patcher.applying.operands import Change, with_operands
from coscope.patcher.applying.pools import Names
from coscope.patcher.edits.model import Rename
from coscope.patcher.edits.selection import Use, choose, instructions_of

__tracebackhide__ = hidden_for

_IMPORTS = ("import name", "import attribute", "import star")


def rename(code: Code, edits: Sequence[Rename]) -> tuple[Code, dict[int, NothingSelected]]:
    """Apply edits to one code object, all at once: none sees what another has changed.

    An entry of `co_names` serves globals and attributes alike: it is changed in its place only if
    every instruction that uses it is meant.

    Returns:
        The code, and for each edit whose name no chosen instruction uses in this way, by its
        index, what is to be said.

    Raises:
        Refused: It is a local variable or a cell.
    """
    names = Names(code)
    unfound: dict[int, NothingSelected] = {}
    beside: list[tuple[Use, str]] = []
    for at, edit in enumerate(edits):
        if not edit.new:
            raise PatchError("a name has at least one character", code=code.qualname)
        every = list(_named(code, edit.old))
        chosen = _chosen(code, edit, every)
        if not chosen:
            problem = _nothing(code, edit, [row for _, row, _ in every])
            if not isinstance(problem, NothingSelected):
                raise problem
            unfound[at] = problem
        users = _by_slot((slot, use) for use, _, slot in every)
        for slot, ours in sorted(chosen.items()):
            if users[slot] == ours:
                names.items[slot] = edit.new
            else:
                beside += [(use, edit.new) for use in ours]
    changes = [_pointed(code, use, names.add(new)) for use, new in beside]
    if names.items == list(code.names) and not changes:
        return code, unfound
    changed = replace(code, names=tuple(names.items))
    return (with_operands(changed, changes) if changes else changed), unfound


def _chosen(code: Code, edit: Rename, every: list[tuple[Use, Opcode, int]]) -> dict[int, list[Use]]:
    """The instructions that are meant, by index of the name."""
    within = {use.number for use in choose(code, edit.where, [use for use, _, _ in every])}
    return _by_slot(
        (slot, use)
        for use, row, slot in every
        if use.number in within and edit.kind in ("any", _kind(row))
    )


def _by_slot(uses: Iterable[tuple[int, Use]]) -> dict[int, list[Use]]:
    found: dict[int, list[Use]] = {}
    for slot, use in uses:
        found.setdefault(slot, []).append(use)
    return found


def _pointed(code: Code, use: Use, index: int) -> Change:
    """An instruction that takes another entry of `co_names`; its flags stay."""
    opcode = code.instructions.opcodes[use.at]
    row = table(code.version).by_code[opcode]
    shift = 0 if row is None else shift_of(row)
    flags = code.instructions.opargs[use.at] & (1 << shift) - 1
    return Change(use, opcode, index << shift | flags)


def shift_of(row: Opcode) -> int:
    """Flag bits below the index of a name."""
    return int(row.operand.partition(">>")[2] or 0)


def _named(code: Code, name: str) -> Iterator[tuple[Use, Opcode, int]]:
    """The instructions that use a name of `co_names`, with their rows and its index."""
    columns = code.instructions
    rows = table(code.version).by_code
    for use in instructions_of(code):
        row = rows[columns.opcodes[use.at]]
        if row is not None and row.operand.startswith("name"):
            slot = columns.opargs[use.at] >> shift_of(row)
            if 0 <= slot < len(code.names) and code.names[slot] == name:
                yield use, row, slot


def _kind(row: Opcode) -> str:
    access = row.access[0] if row.access else "read attribute"
    if access in _IMPORTS:
        return "import"
    return "attribute" if access.endswith("attribute") else "global"


def _nothing(code: Code, edit: Rename, rows: list[Opcode]) -> PatchError:
    if edit.old in code.cellvars or edit.old in code.freevars:
        return Refused(
            f"{edit.old!r} is a cell, shared by position and not by name",
            code=code.qualname,
            hint="To give it another value, set its cell.",
        )
    if edit.old in code.varnames:
        return Refused(
            f"{edit.old!r} is a local variable, used by position and not by name",
            code=code.qualname,
            hint="Edit the instructions that load it.",
        )
    kinds = sorted({_kind(row) for row in rows})
    hint = f"It is used as {' and '.join(kinds)}: say kind={kinds[0]!r}." if kinds else None
    if not kinds and code.names:
        hint = f"Its names are {', '.join(code.names[:10])}{'...' if code.names[10:] else ''}."
    what = "name" if edit.kind == "any" else f"{edit.kind} name"
    return NothingSelected(
        f"no chosen instruction uses the {what} {edit.old!r}", code=code.qualname, hint=hint
    )
