"""Instructions given as data -> items of a listing, with the constants and names that they need."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property

from coscope.errors import PatchError, Refused, hidden_for
from coscope.facts.names.uses import cell_slots
from coscope.flow import build
from coscope.flow.domains.depth import depths
from coscope.model import FAST_CELL, FAST_FREE, FAST_HIDDEN, FAST_LOCAL, Code
from coscope.opcodes import Opcode
from coscope.patcher.applying.names import shift_of
from coscope.patcher.applying.pools import Constants, Names, modelled
from coscope.patcher.edits.model import Do, Literal, Loaded, Mark, Outcome
from coscope.patcher.edits.selection import instructions_of
from coscope.patcher.listing.listing import UNINTERRUPTED, Item, Listing
from coscope.readers.values import text_of

__tracebackhide__ = hidden_for

HERE = "here"  # the mark of the instruction at which others are inserted

_OWN_SCOPE = 0x2  # CO_NEWLOCALS: names that are not local are global
_LISTED = {"compare": "compare", "binary": "binary", "special": "special"}


class Assembler:
    """Makes items for one listing; afterwards `finish` gives its code the new constants."""

    def __init__(self, listing: Listing) -> None:
        self.listing = listing
        self.code = listing.code
        self._items = list(listing.items)
        self.rules = listing.rules
        self.constants = Constants(listing.code)
        self.names = Names(listing.code)
        self.slots: dict[str, int] = {}  # plain locals
        self.cells: dict[str, int] = {}
        self._find_slots()

    def finish(self) -> Code:
        """The code object with the constants and names of what was made, its bytes untouched."""
        return replace(
            self.code,
            consts=tuple(self.constants.items),
            names=tuple(self.names.items),
        )

    def _find_slots(self) -> None:
        code = self.code
        if self.rules.deref == "cells":
            self.slots = {name: slot for slot, name in enumerate(code.varnames)}
            self.cells = {name: slot for slot, (name, _) in cell_slots(code).items()}
            return
        for slot, name in enumerate(code.localsplusnames):
            kind = code.localspluskinds[slot] if slot < len(code.localspluskinds) else 0
            if kind & FAST_HIDDEN:
                continue
            if kind & (FAST_CELL | FAST_FREE):
                self.cells.setdefault(name, slot)
            elif kind & FAST_LOCAL:
                self.slots.setdefault(name, slot)

    def row(self, opname: str) -> Opcode:
        """The row of an opcode that compilers of the version emit.

        Raises:
            Refused: No opcode has the name, or it is one of the interpreter's own.
        """
        row = self.rules.opcodes.get(opname)
        if row is None or row.form != "base" or row.operand == "extended":
            raise Refused(
                f"CPython {self.code.version} has no instruction {opname} to insert",
                code=self.code.qualname,
                expected="an opcode that its compiler emits",
            )
        return row

    def item(self, opname: str, oparg: int, model: Item) -> Item:
        """An instruction with the place in the source that `model` has, and its handler."""
        code = self.row(opname).code
        handler = model.handler
        # Where the compiler knows that nothing raises, less may be on the stack than the handler
        # keeps: at the end of a generator expression of 3.15.
        if handler is not None and handler.depth > self.depths.get(id(model), handler.depth):
            handler = None
        return Item(code, oparg, place=model.place, handler=handler)

    @cached_property
    def depths(self) -> dict[int, int]:
        """Depth of the stack before each instruction of the listing that was reached, by id().

        Raises:
            CodeError: The instructions cannot be followed.
        """
        found = depths(build(self.code))
        uses = instructions_of(self.code)
        return {
            id(item): depth
            for item, use in zip(self._items, uses, strict=True)
            if (depth := found[use.at]) is not None
        }

    # Instructions of an edit

    def sequence(
        self, instructions: Sequence[Do | Mark], model: Item, here: Item | None
    ) -> list[Item]:
        """Items for instructions and the marks among them.

        Args:
            instructions: Of the edit.
            model: The instruction whose line and handler they get.
            here: Where the mark "here" leads, and one at the end of the sequence.
        """
        items = [
            self.item(each.opname, 0, model) if isinstance(each, Do) else None
            for each in instructions
        ]
        marks = _marked(instructions, items, here)
        made = []
        for each, item in zip(instructions, items, strict=True):
            if item is not None and isinstance(each, Do):
                self._fill(item, each, marks)
                made.append(item)
        return made

    def _fill(self, item: Item, do: Do, marks: dict[str, Item]) -> None:
        row = self.row(do.opname)
        if row.jump is not None or row.operand == "jump source":
            target = marks.get(do.arg) if isinstance(do.arg, str) else None
            if target is None:
                raise self._wrong(do, f"a mark: {', '.join(marks) or 'none is in reach'}")
            if do.opname == UNINTERRUPTED:
                raise Refused(
                    "a loop that no signal can interrupt is not to be inserted",
                    code=self.code.qualname,
                    found=do.opname,
                    hint="Use JUMP_BACKWARD.",
                )
            item.target = target
            return
        item.oparg = self._oparg(row, do)

    def _oparg(self, row: Opcode, do: Do) -> int:
        kind, arg = row.operand, do.arg
        if kind in ("const", "const names"):
            return self.constants.add(modelled(arg))
        if kind == "none":
            if arg is not None:
                raise self._wrong(do, "no argument")
            return 0
        shift = shift_of(row) if kind.startswith("name") else 0
        if not 0 <= do.flag < max(2, 1 << shift) and kind != "compare":
            raise self._wrong(do, f"a flag of {shift} bits")
        if type(arg) is int and 0 <= arg < 1 << 31:
            return arg
        found = None
        if isinstance(arg, str):
            found = self._named(kind, arg, shift, do)
        elif kind == "local pair" and isinstance(arg, tuple) and len(arg) == 2:
            found = self._pair(arg, do)
        if found is None:
            raise self._wrong(do, "a name" if kind.startswith(("name", "local")) else kind)
        return found

    def _named(self, kind: str, arg: str, shift: int, do: Do) -> int | None:
        """The oparg for a name or an operator; None if the operand is of another kind."""
        if kind.startswith("name"):
            return self.names.add(arg) << shift | do.flag
        if kind in ("local", "deref"):
            return self._slot(kind, arg, do)
        if kind in _LISTED:
            return self._listed(kind, arg, do)
        return None

    def _pair(self, names: tuple[str, ...], do: Do) -> int:
        first, second = (self._slot("local", name, do) for name in names)
        if max(first, second) > 15:
            raise self._wrong(do, "two of the first 16 locals")
        return first << 4 | second

    def _listed(self, kind: str, arg: str, do: Do) -> int:
        """The oparg for an operator: its index in the version's list."""
        listed = self.rules.lists[_LISTED[kind]]
        if arg not in listed:
            raise self._wrong(do, f"one of {' '.join(listed)}")
        above = self.rules.numbers.get("compare_shift", 0) if kind == "compare" else 0
        return listed.index(arg) << above | do.flag

    def _slot(self, kind: str, name: str, do: Do) -> int:
        slot = (self.slots if kind == "local" else self.cells).get(name)
        if slot is None:
            known = self.slots if kind == "local" else self.cells
            raise self._wrong(do, f"one of the {kind} variables {', '.join(known) or '(none)'}")
        return slot

    def _wrong(self, do: Do, expected: str) -> PatchError:
        return PatchError(
            f"{do.opname} cannot have this argument",
            code=self.code.qualname,
            expected=expected,
            found=text_of(do.arg)[:60],
        )

    # Loads and calls

    def load(self, what: Loaded, model: Item, outcome: int | None = None) -> list[Item]:
        """Push a value.

        Args:
            what: A constant, a variable, or the outcome of a hook on exit.
            model: As for `item`.
            outcome: How deep the outcome is on the stack, 1 is the top; None without an outcome.
        """
        if isinstance(what, Literal):
            return [self.item("LOAD_CONST", self.constants.add(modelled(what.value)), model)]
        if isinstance(what, Outcome):
            if outcome is None:
                raise PatchError(
                    "there is no outcome before an exit",
                    code=self.code.qualname,
                    hint="Outcome is for hooks at return, yield, exception or exit.",
                )
            return [self.item("COPY", outcome, model)]
        if what.name in self.cells:
            return [self.item("LOAD_DEREF", self.cells[what.name], model)]
        if what.name in self.slots:
            checked = "LOAD_FAST_CHECK" in self.rules.opcodes
            opname = "LOAD_FAST_CHECK" if checked else "LOAD_FAST"
            return [self.item(opname, self.slots[what.name], model)]
        opname = "LOAD_GLOBAL" if self.code.flags & _OWN_SCOPE else "LOAD_NAME"
        index = self.names.add(what.name) << shift_of(self.row(opname))
        return [self.item(opname, index, model)]

    def call(
        self, callee: Loaded, args: Sequence[Loaded], model: Item, outcome: int | None = None
    ) -> list[Item]:
        """Call something and drop its result."""
        return [*self.result(callee, args, model, outcome), self.item("POP_TOP", 0, model)]

    def result(
        self, callee: Loaded, args: Sequence[Loaded], model: Item, outcome: int | None = None
    ) -> list[Item]:
        """Call something and leave its result on the stack."""
        items = []
        if self.null_first:
            items.append(self.item("PUSH_NULL", 0, model))
            items += self.load(callee, model, _deeper(outcome, 1))
        else:
            items += self.load(callee, model, outcome)
            items.append(self.item("PUSH_NULL", 0, model))
        for number, arg in enumerate(args):
            items += self.load(arg, model, _deeper(outcome, 2 + number))
        if "PRECALL" in self.rules.opcodes:
            items.append(self.item("PRECALL", len(args), model))
        items.append(self.item("CALL", len(args), model))
        return items

    @property
    def null_first(self) -> bool:
        """True if a call wants the NULL below the callable."""
        return self.row("CALL").pop_slots[0].name != "callable"


def _deeper(outcome: int | None, by: int) -> int | None:
    return None if outcome is None else outcome + by


def _marked(
    instructions: Sequence[Do | Mark], items: Sequence[Item | None], here: Item | None
) -> dict[str, Item]:
    """Where each mark leads: to the instruction after it."""
    marks: dict[str, Item] = {} if here is None else {HERE: here}
    following = here
    for each, item in zip(reversed(instructions), reversed(items), strict=True):
        if item is not None:
            following = item
        elif isinstance(each, Mark) and following is not None:
            marks[each.name] = following
    return marks
