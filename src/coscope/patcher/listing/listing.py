"""The listing of a code object: its instructions in a form in which they can be moved.

Jumps, protected regions and source positions refer to instructions, not to offsets, so code can be
inserted and removed anywhere; `layout.lay_out` turns a listing into bytes again.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from coscope.codec.assembly import Operation, decode_operations
from coscope.codec.lines import line_ranges
from coscope.codec.locations import decode_locations
from coscope.codec.operands import Operand, operands
from coscope.codec.regions import decode_regions
from coscope.errors import CodeError, Refused, hidden_for
from coscope.model import NOWHERE, Code, Region, Span
from coscope.opcodes import Opcode, Table, table

__tracebackhide__ = hidden_for

UNINTERRUPTED = "JUMP_BACKWARD_NO_INTERRUPT"
_WHOLE_ENTRY = 8  # code units of the longest entry of a location table


@dataclass(eq=False, slots=True)
class Place:
    """A run of code units with one source range, as one or more entries of the line table.

    Places are distinguished by identity: the compiler writes neighbours with equal ranges apart.
    """

    span: Span
    raw: bytes = b""  # the entries as they stood, good as long as nothing of it was moved
    units: int = 0  # code units that `raw` covers
    line: int | None = None  # the line from which `raw` counts


@dataclass(eq=False, slots=True)
class Handler:
    """Where exceptions of the instructions that refer to it go."""

    target: Item
    depth: int  # stack slots kept when the handler starts
    keeps_lasti: bool  # the handler finds the faulting offset on the stack


@dataclass(eq=False, slots=True)
class Item:
    """One instruction with its EXTENDED_ARG prefixes and inline caches."""

    opcode: int
    oparg: int = 0  # not used if there is a target
    target: Item | None = None  # where it jumps
    place: Place = field(default_factory=lambda: Place(NOWHERE))
    handler: Handler | None = None
    prefixes: int = 0  # EXTENDED_ARG prefixes to write at least
    caches: bytes | None = None  # what the cache bytes hold; None: zeros

    @property
    def line(self) -> int | None:
        """Source line."""
        return self.place.span[0]


class Listing:
    """The instructions of one code object, in order.

    Attributes:
        code: Of which the listing was made; its other fields are kept when it is laid out.
        items: The instructions. A jump may only lead to one of them, a handler too.
    """

    __slots__ = ("_meanings", "code", "items", "rules")

    def __init__(self, code: Code, items: list[Item]) -> None:
        self.code = code
        self.items = items
        self.rules: Table = table(code.version)
        self._meanings = operands(code.version)

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[Item]:
        return iter(self.items)

    def __repr__(self) -> str:
        return f"<Listing of {self.code.qualname}: {len(self)} instructions>"

    def row(self, item: Item) -> Opcode | None:
        """What the opcode means in this version; None if it means nothing."""
        return self.rules.by_code[item.opcode]

    def opname(self, item: Item) -> str:
        """Name of the opcode; `<n>` for a number that the version does not define."""
        row = self.rules.by_code[item.opcode]
        return row.name if row else f"<{item.opcode}>"

    def meaning(self, item: Item) -> Operand:
        """How to read its oparg."""
        return self._meanings[item.opcode]

    @property
    def handlers(self) -> list[Handler]:
        """Every handler that some instruction refers to, in order of first use."""
        seen = {id(item.handler): item.handler for item in self.items if item.handler}
        return list(seen.values())

    def weave(
        self,
        before: Mapping[int, Sequence[Item]],
        after: Mapping[int, Sequence[Item]] | None = None,
        *,
        passing: Iterable[int] = (),
    ) -> None:
        """Insert instructions at many places at once.

        Args:
            before: By index in `items`: what comes before that instruction. Jumps and handlers
                that lead to the instruction lead to the first of these from now on.
            after: By index: what comes behind it, reached from it alone.
            passing: Indexes at which jumps and handlers go on to lead to the instruction itself.
        """
        after = after or {}
        skipped = frozenset(passing)
        landing = {
            id(self.items[index]): inserted[0]
            for index, inserted in before.items()
            if inserted and index not in skipped
        }
        self._redirect(landing, staying=True)
        woven: list[Item] = []
        for index, item in enumerate(self.items):
            woven += before.get(index, ())
            woven.append(item)
            woven += after.get(index, ())
        self.items = woven

    def exchange(self, replacements: Mapping[int, Sequence[Item]]) -> None:
        """Put other instructions, or none, in the place of some.

        What led to a replaced instruction leads to the first one that came for it, or to what
        follows if there is none.

        Raises:
            Refused: A jump or handler leads to a removed instruction that nothing follows.
        """
        self._let_interrupt(replacements)
        landing, left = self._landings(replacements)
        for item in self.items:
            if item.target is not None and id(item.target) in left and id(item) not in left:
                raise Refused(
                    "a jump leads to the removed end of the code", code=self.code.qualname
                )
        self._redirect(landing, staying=False)
        woven: list[Item] = []
        for index, item in enumerate(self.items):
            woven += replacements.get(index, (item,))
        self.items = woven
        kept = {id(item) for item in woven}
        for handler in self.handlers:
            if id(handler.target) not in kept:
                raise Refused(
                    "a handler leads to the removed end of the code", code=self.code.qualname
                )

    def _landings(
        self, replacements: Mapping[int, Sequence[Item]]
    ) -> tuple[dict[int, Item], set[int]]:
        """Where what led to a replaced instruction leads now, and those that nothing follows.

        Both by identity of the replaced instruction.
        """
        landing: dict[int, Item] = {}
        following: Item | None = None
        gone: set[int] = set()  # removed at the end of the code, so far without a successor
        for index in range(len(self.items) - 1, -1, -1):
            item = self.items[index]
            inserted = replacements.get(index)
            if inserted is None:
                following = item
            elif inserted:
                following = landing[id(item)] = inserted[0]
            elif following is not None:
                landing[id(item)] = following
            else:
                gone.add(id(item))
        return landing, gone

    def _let_interrupt(self, replaced: Iterable[int]) -> None:
        """Let loops that were changed look for signals.

        JUMP_BACKWARD_NO_INTERRUPT does not: in the loop of an `await` the YIELD_VALUE lets the
        caller. Without that, or without the SEND, nothing but a kill would end the process.
        """
        changed = sorted(replaced)
        index_of = {id(item): index for index, item in enumerate(self.items)}
        for index, item in enumerate(self.items):
            if item.target is None or self.opname(item) != UNINTERRUPTED:
                continue
            inside = bisect_left(changed, index_of.get(id(item.target), 0))
            if inside < len(changed) and changed[inside] <= index:
                item.opcode, item.caches = self.rules.opcodes["JUMP_BACKWARD"].code, None

    def _redirect(self, landing: Mapping[int, Item], *, staying: bool) -> None:
        if not landing:
            return
        for item in self.items:
            if item.target is not None and not (staying and self._stays(item)):
                item.target = landing.get(id(item.target), item.target)
        for handler in self.handlers:
            handler.target = landing.get(id(handler.target), handler.target)

    def _stays(self, item: Item) -> bool:
        """True for a jump to an instruction itself, whatever is put before that.

        The oparg of END_ASYNC_FOR says where control came from; and what waits for another
        generator goes from its SEND to the same SEND.
        """
        row = self.rules.by_code[item.opcode]
        if row is None or item.target is None:
            return False
        if row.operand == "jump source":
            return True
        return row.name == UNINTERRUPTED and self.opname(item.target) == "SEND"


def decode_listing(code: Code) -> Listing:
    """Make the listing of a code object. Laid out again unchanged, it gives the same bytes.

    Raises:
        CodeError: The bytes end inside a code unit, a jump or handler leads into the middle of an
            instruction or out of the code, or protected regions are empty or overlap.
        TruncatedTable: The line table or the exception table ends inside an entry.
        UnknownVersion: There is no opcode table for the code's version.
    """
    rules = table(code.version)
    operations = decode_operations(code)
    offsets = [0]
    for operation in operations:
        offsets.append(offsets[-1] + 2 * operation.units(rules))
    items = [
        Item(opcode, oparg, prefixes=prefixes, caches=caches)
        for opcode, oparg, prefixes, caches in operations
    ]
    for item, place in zip(items, _places(code, offsets), strict=True):
        item.place = place
    listing = Listing(code, items)
    at = {offset: index for index, offset in enumerate(offsets[:-1])}
    _find_targets(listing, operations, offsets, at)
    if rules.exceptions != "block stack":
        _find_handlers(listing, offsets, at)
    return listing


def _find_targets(
    listing: Listing, operations: Sequence[Operation], offsets: Sequence[int], at: dict[int, int]
) -> None:
    items = listing.items
    for index, (item, operation) in enumerate(zip(items, operations, strict=True)):
        meaning = listing.meaning(item)
        if not meaning.jump_unit:
            item.prefixes = _asked(operation)
            continue
        target = meaning.jump_base + operation.oparg * meaning.jump_unit
        if not meaning.absolute:
            target += offsets[index] + 2 * operation.prefixes
        if target not in at:
            raise CodeError(
                "the jump target is not the start of an instruction",
                code=listing.code.qualname,
                offset=offsets[index],
                line=item.line,
                found=target,
            )
        item.target = items[at[target]]
        # A prefix of a jump backwards is part of its distance: some are needed only because they
        # are there.
        item.prefixes = operation.prefixes


def _asked(operation: Operation) -> int:
    """Prefixes to ask for: none if the oparg needs as many anyway."""
    needed = operation._replace(prefixes=0).prefixes_written
    return operation.prefixes if operation.prefixes > needed else 0


def _find_handlers(listing: Listing, offsets: Sequence[int], at: dict[int, int]) -> None:
    code, items = listing.code, listing.items
    ends = {**at, offsets[-1]: len(items)}
    last = 0
    for region in decode_regions(code.exceptiontable, name=code.qualname):
        if region.start < last or region.start >= region.stop:
            raise _bad_region(code, region, "a protected region is empty, or overlaps another")
        if region.start not in at or region.stop not in ends or region.target not in at:
            raise _bad_region(code, region, "a protected region ends inside an instruction")
        handler = Handler(items[at[region.target]], region.depth, region.keeps_lasti)
        for index in range(at[region.start], ends[region.stop]):
            items[index].handler = handler
        last = region.stop


def _bad_region(code: Code, region: Region, what: str) -> CodeError:
    found = f"{region.start} to {region.stop}, handler {region.target}"
    return CodeError(what, code=code.qualname, offset=region.start, found=found)


def _places(code: Code, offsets: Sequence[int]) -> list[Place]:
    """The place of each instruction: that of its first code unit, prefixes counted."""
    starts, places = _runs(code)
    found = []
    for offset in offsets[:-1]:
        index = bisect_left(starts, offset + 1) - 1
        found.append(places[index])
    return found


def _runs(code: Code) -> tuple[list[int], list[Place]]:
    """Where each place starts, in bytes, and the places; one that says nothing behind them."""
    if table(code.version).lines != "locations":
        ranges = line_ranges(code)
        starts = [start for start, _, _ in ranges]
        places = [Place(Span(line)) for _, _, line in ranges]
        return [*starts, ranges[-1][1] if ranges else 0], [*places, Place(NOWHERE)]
    starts, places = [], []
    at = 0
    line: int = code.firstlineno
    bounds = [index for index, byte in enumerate(code.linetable) if byte & 0x80]
    bounds.append(len(code.linetable))
    full = False  # the entry before is as long as can be, so this one may go on with it
    entries = decode_locations(code.linetable, code.firstlineno, name=code.qualname)
    for number, (units, span) in enumerate(entries):
        raw = code.linetable[bounds[number] : bounds[number + 1]]
        if full and span == places[-1].span:
            places[-1].raw += raw
            places[-1].units += units
        else:
            starts.append(at)
            places.append(Place(span, raw, units, line))
        full = units == _WHOLE_ENTRY
        line = line if span[0] is None else span[0]
        at += 2 * units
    return [*starts, at], [*places, Place(NOWHERE)]
