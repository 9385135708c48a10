"""Calls: hooks on entry, on every way out and before lines; and wrappers round calls.

A hook on exceptions is a handler round the whole body, laid as the compiler lays a `with`
statement's:

    handler: PUSH_EXC_INFO          lasti, previous, exc
             <the hook>             under `cleanup`, with lasti and previous kept
             RERAISE 2              goes on from where the exception was raised
    cleanup: COPY 3                 the previous exception, above lasti and the hook's exception
             POP_EXCEPT
             RERAISE 1

Regions that are there stay: only instructions that have no handler get this one, and what leaves
another handler arrives here.

Source: CPython 3.13.0, Python/compile.c, `compiler_with`, `POP_EXCEPT_AND_RERAISE`.
"""

from __future__ import annotations

from dataclasses import replace

from coscope.errors import NothingSelected, Refused, hidden_for
from coscope.model import Code, Span
from coscope.patcher.applying.assembler import Assembler
from coscope.patcher.applying.bonds import bonds, prologue
from coscope.patcher.applying.entry import hook_on_entry
from coscope.patcher.applying.instructions import finish
from coscope.patcher.edits.model import EXITS, InsertCall, Literal, Loaded, Outcome
from coscope.patcher.edits.selection import require, shown
from coscope.patcher.listing.listing import Handler, Item, Listing, Place, decode_listing

__tracebackhide__ = hidden_for


def insert_call(code: Code, edit: InsertCall) -> Code:
    """Apply the edit to one code object.

    Raises:
        NothingSelected: It has no such moment, a yield for example.
        Refused: Nothing may be inserted there, or the code is older than 3.11.
    """
    if edit.at == "entry":
        made = hook_on_entry(code, edit)
        if made is not None:
            return made
    listing = decode_listing(code)
    if listing.rules.exceptions == "block stack":
        raise Refused(
            f"calls cannot be inserted into code of CPython {code.version}",
            code=code.qualname,
            expected="code of a CPython that keeps its handlers in an exception table",
        )
    if edit.replace:
        _check_replacing(code, edit)
    hook = _Hook(listing, edit)
    if edit.at == "instruction":
        hook.before(_chosen(code, edit, listing))
    elif edit.at == "entry":
        hook.on_entry()
    else:
        moments = EXITS if edit.at == "exit" else (edit.at,)
        if not hook.on_exits(moments):
            raise NothingSelected(f"there is no {edit.at} in it", code=code.qualname)
    return finish(listing, hook.assembler)


_ASYNC_GENERATOR = 0x200  # CO_ASYNC_GENERATOR


def _check_replacing(code: Code, edit: InsertCall) -> None:
    """That there is something to replace, and that the code may return it."""
    if edit.at in ("entry", "instruction"):
        raise Refused(
            f"a hook on {edit.at} replaces nothing",
            code=code.qualname,
            expected="at='return', 'yield', 'exception' or 'exit'",
        )
    if code.flags & _ASYNC_GENERATOR and edit.at != "yield":
        raise Refused(
            "an async generator returns nothing that could be replaced", code=code.qualname
        )


def _chosen(code: Code, edit: InsertCall, listing: Listing) -> list[int]:
    """The first instruction of each run of chosen ones at which a call may be put."""
    closed = bonds(listing)
    numbers = [use.number for use in require(code, edit.where)]
    starts = []
    last = -2
    waiting = False  # the run has begun, but nothing may be put there yet
    for number in numbers:
        waiting = waiting or number != last + 1
        if waiting and number not in closed:
            starts.append(number)
            waiting = False
        last = number
    if not starts:
        use = require(code, edit.where)[0]
        raise Refused(
            f"nothing can be inserted here: {closed[use.number]}",
            code=code.qualname,
            offset=code.instructions.offsets[use.at],
            found=shown(code, use.at),
        )
    return starts


class _Hook:
    """One call, inserted at many places of one listing."""

    def __init__(self, listing: Listing, edit: InsertCall) -> None:
        self.listing = listing
        self.edit = edit
        self.assembler = Assembler(listing)
        self.inserted: dict[int, list[Item]] = {}

    def call(self, model: Item, outcome: int | None = None) -> list[Item]:
        return self.assembler.call(self.edit.call, self.edit.args, model, outcome)

    def before(self, numbers: list[int]) -> None:
        items = self.listing.items
        self.listing.weave({number: self.call(items[number]) for number in numbers})

    def on_entry(self) -> None:
        first = prologue(self.listing)
        items = self.listing.items
        above = self.assembler.item("NOP", 0, items[max(first - 1, 0)])
        # In the line of what follows: in that of RESUME, a tracer would see one line more.
        place = items[first].place
        model = Item(
            0, place=above.place if place.span.lineno is None else place, handler=above.handler
        )
        # Not for jumps: a loop may begin with the first instruction.
        self.listing.weave({first: self.call(model)}, passing=(first,))

    def on_exits(self, moments: tuple[str, ...]) -> bool:
        """Insert at each of these ways out; False if there are none."""
        body = self.listing.items[prologue(self.listing) :]
        for number, item in enumerate(self.listing.items):
            row = self.listing.row(item)
            if row is None:
                continue
            if row.ends == "return" and "return" in moments:
                self.inserted[number] = self._on_return(item)
            if row.name == "YIELD_VALUE" and "yield" in moments:
                self._on_yield(number)
        found = bool(self.inserted)
        self.listing.weave(self.inserted)
        if "exception" in moments:
            self._on_exception(body)
            found = True
        return found

    def _exchange(self, model: Item) -> list[Item]:
        """Call with the value on top of the stack as the outcome, and leave the result for it."""
        edit, assembler = self.edit, self.assembler
        if not edit.replace:
            return self.call(model, outcome=1)
        return [
            *assembler.result(edit.call, edit.args, model, 1),
            assembler.item("SWAP", 2, model),
            assembler.item("POP_TOP", 0, model),
        ]

    def _on_return(self, item: Item) -> list[Item]:
        row = self.listing.row(item)
        if row is None or row.operand != "const":
            return self._exchange(item)
        if self.edit.replace:
            # RETURN_CONST becomes a load, the call, and RETURN_VALUE.
            load = self.assembler.item("LOAD_CONST", item.oparg, item)
            item.opcode, item.oparg = self.assembler.row("RETURN_VALUE").code, 0
            item.prefixes, item.caches = 0, None
            return [load, *self._exchange(item)]
        value = Literal(self.assembler.constants.items[item.oparg])
        edit = self.edit
        args = [value if isinstance(arg, Outcome) else arg for arg in edit.args]
        callee: Loaded = value if isinstance(edit.call, Outcome) else edit.call
        return self.assembler.call(callee, args, item)

    def _on_yield(self, number: int) -> None:
        """Call before the value is yielded, and before an async generator wraps it."""
        items, names = self.listing.items, self.listing.opname
        if number and names(items[number - 1]) == "SEND":
            return  # what another generator or awaitable yields
        if number and self._wraps(items[number - 1]):
            number -= 1
        self.inserted[number] = self._exchange(items[number])

    def _wraps(self, item: Item) -> bool:
        name = self.listing.opname(item)
        if name == "CALL_INTRINSIC_1":
            known = self.listing.rules.lists["intrinsic_1"]
            return item.oparg < len(known) and known[item.oparg] == "INTRINSIC_ASYNC_GEN_WRAP"
        return name == "ASYNC_GEN_WRAP"

    def _on_exception(self, body: list[Item]) -> None:
        assembler = self.assembler
        # As of a `with` statement: a tracer sees one line, the hook can ask for it, and what
        # cleans up has none.
        model = Item(0, place=Place(Span(*self._first_line())))
        nowhere = Item(0)
        entry = assembler.item("PUSH_EXC_INFO", 0, model)
        cleanup = [
            assembler.item("COPY", 3, nowhere),
            assembler.item("POP_EXCEPT", 0, nowhere),
            assembler.item("RERAISE", 1, nowhere),
        ]
        # The interpreter's lasti and the previous exception are kept.
        model.handler = Handler(cleanup[0], depth=2, keeps_lasti=True)
        handling = self._handling(model)
        depths = assembler.depths
        kept = depths.get(id(body[0]), 0)  # 2 in a generator expression of 3.15, else none
        if kept and self.edit.replace:
            raise Refused(
                "a generator expression cannot return another value",
                code=self.listing.code.qualname,
            )
        outermost = Handler(entry, depth=kept, keeps_lasti=True)
        model.handler.depth += kept
        for item in body:
            if item.handler is None and depths.get(id(item), 0) >= kept:
                item.handler = outermost
        self._tell_close()
        self.listing.items += [entry, *handling, *cleanup]

    def _handling(self, model: Item) -> list[Item]:
        """The hook, with lasti, the previous exception and this one on the stack."""
        assembler, edit = self.assembler, self.edit
        if not edit.replace:
            return [*self.call(model, outcome=1), assembler.item("RERAISE", 2, model)]
        drop = [assembler.item("SWAP", 2, model), assembler.item("POP_TOP", 0, model)]
        again = [assembler.item("SWAP", 2, model), assembler.item("POP_TOP", 0, model)]
        after = Item(0, place=model.place)
        leave = [assembler.item("SWAP", 2, after), assembler.item("POP_EXCEPT", 0, after)]
        return [
            *assembler.result(edit.call, edit.args, model, 1),
            *drop,
            *leave,
            *[replace(item, handler=None) for item in again],
            assembler.item("RETURN_VALUE", 0, after),
        ]

    def _tell_close(self) -> None:
        """Let `close()` know that there is a handler more.

        It raises GeneratorExit only in a frame that has another handler than the one round each
        generator. To 3.12 the oparg of YIELD_VALUE counts handlers, from 3.13 a bit of RESUME says
        that there is one.

        Source: CPython 3.12.1 and 3.13.0, Objects/genobject.c, `gen_close`.
        """
        numbers = self.listing.rules.numbers
        counts, alone = numbers.get("yield_counts_handlers", 0), numbers.get("resume_depth_1", 0)
        for item in self.listing.items:
            name = self.listing.opname(item)
            if name == "RESUME":
                item.oparg &= ~alone
            elif name == "YIELD_VALUE" and counts:
                item.oparg += 1

    def _first_line(self) -> Span:
        line = self.listing.code.firstlineno
        return Span(line, line, 0, 0)
