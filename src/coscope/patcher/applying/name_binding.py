"""Names -> constants: code that no longer looks a global, a builtin or a free variable up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from difflib import get_close_matches

from coscope.errors import NothingSelected, Refused, hidden_for
from coscope.facts.names.uses import cell_slots
from coscope.model import Code, Constant
from coscope.opcodes import Opcode
from coscope.patcher.applying.assembler import Assembler
from coscope.patcher.applying.instructions import finish
from coscope.patcher.applying.names import shift_of
from coscope.patcher.listing.listing import Item, Listing, decode_listing

__tracebackhide__ = hidden_for

_WRITES = frozenset({"STORE_GLOBAL", "DELETE_GLOBAL", "STORE_DEREF", "DELETE_DEREF"})
# These look in a class body or another namespace first: what they find is not known beforehand.
_LATE = frozenset({"LOAD_NAME", "LOAD_CLASSDEREF"})


def bind_names(code: Code, values: Mapping[str, Constant]) -> tuple[Code, tuple[str, ...]]:
    """Load constants where a function, or code nested in it, reads these names.

    Args:
        code: Of a function.
        values: Names of globals, builtins or free variables, and what to load instead.

    Returns:
        The changed code; and what still looks a name up, in words.

    Raises:
        NothingSelected: Nothing reads a name.
        Refused: The code itself assigns or deletes it.
    """
    scope = _Scope(values)
    changed = scope.bound(code, frozenset(code.freevars) & values.keys())
    for name in values:
        if name not in scope.found:
            raise _not_read(code, name)
    return changed, tuple(scope.notes)


class _Scope:
    """One pass over a function and what is nested in it."""

    def __init__(self, values: Mapping[str, Constant]) -> None:
        self.values = values
        self.found: set[str] = set()
        self.notes: list[str] = []

    def bound(self, code: Code, free: frozenset[str]) -> Code:
        """The code object with constants.

        Args:
            code: The function, or nested in it.
            free: The names that are free variables of the function, as far as it has them too.
        """
        consts = tuple(
            self.bound(constant, free & frozenset(constant.freevars))
            if isinstance(constant, Code)
            else constant
            for constant in code.consts
        )
        if any(new is not old for new, old in zip(consts, code.consts, strict=True)):
            code = replace(code, consts=consts)
        listing = decode_listing(code)
        assembler = Assembler(listing)
        exchanged: dict[int, list[Item]] = {}
        for number, name, item in self._reads(listing, free):
            index = assembler.constants.add(self.values[name])
            load = assembler.item("LOAD_CONST", index, item)
            exchanged[number] = [load]
            if item.oparg & 1 and listing.opname(item) == "LOAD_GLOBAL":
                null = assembler.item("PUSH_NULL", 0, item)
                exchanged[number] = [null, load] if assembler.null_first else [load, null]
            self.found.add(name)
        if not exchanged:
            return code
        listing.exchange(exchanged)
        return finish(listing, assembler)

    def _reads(self, listing: Listing, free: frozenset[str]) -> Iterator[tuple[int, str, Item]]:
        code = listing.code
        cells = {slot: name for slot, (name, _) in cell_slots(code).items()}
        for number, item in enumerate(listing.items):
            row = listing.row(item)
            if row is None or not row.operand.startswith(("name", "deref")):
                continue
            named = row.operand.startswith("name")
            name = code.names[item.oparg >> shift_of(row)] if named else cells.get(item.oparg, "")
            if name not in self.values or (not named and name not in free):
                continue
            if row.name in _WRITES:
                raise _written(code, row, name, item)
            # A free variable of the function hides a global of the same name.
            if row.name == "LOAD_DEREF" or (row.name == "LOAD_GLOBAL" and name not in free):
                yield number, name, item
            else:
                self._note_late(code, row, name, item)

    def _note_late(self, code: Code, row: Opcode, name: str, item: Item) -> None:
        """Note a read whose outcome depends on a namespace."""
        if row.name in _LATE or row.name.startswith("LOAD_FROM_DICT"):
            where = f"{code.qualname} (line {item.line})"
            self.notes.append(f"{name!r} is still looked up in {where}, a class body")


def names_read(code: Code) -> list[str]:
    """The globals that a code object and those nested in it read, sorted; then free variables."""
    read = {
        item.names[listing.items[at].oparg >> 1]
        for item in code.walk()
        for listing in [decode_listing(item)]
        for at in range(len(listing))
        if listing.opname(listing.items[at]) == "LOAD_GLOBAL"
    }
    return [*sorted(read), *code.freevars]


def _not_read(code: Code, name: str) -> NothingSelected:
    known = names_read(code)
    near = get_close_matches(name, known, 1)
    return NothingSelected(
        f"nothing in {code.name!r} reads {name!r}",
        code=code.qualname,
        hint=(f"Did you mean {near[0]!r}? " if near else "")
        + f"It reads {', '.join(known[:12])}{', ...' if known[12:] else ''}."
        if known
        else "It reads no names from outside.",
    )


def _written(code: Code, row: Opcode, name: str, item: Item) -> Refused:
    return Refused(
        f"{name!r} cannot become a constant: the code assigns or deletes it",
        code=code.qualname,
        line=item.line,
        found=row.name,
        hint="Set the variable itself, as unittest.mock.patch does.",
    )
