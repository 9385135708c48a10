"""A listing -> a code object: jumps, prefixes, exception table, line table, stack size."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import groupby

from coscope.codec.assembly import Operation, decode_operations, encode_instructions
from coscope.codec.locations import Location, encode_locations
from coscope.codec.regions import decode_regions, encode_regions
from coscope.errors import CodeError, InternalError, Refused, hidden_for
from coscope.flow import build
from coscope.flow.domains.depth import needed
from coscope.model import Code, Region
from coscope.patcher.listing.listing import Listing, Place, decode_listing

__tracebackhide__ = hidden_for

_ROUNDS = 1000  # of laying out; each but the last adds a prefix somewhere


def lay_out(listing: Listing) -> Code:
    """Turn a listing into a code object.

    Of an unchanged listing it is the same, byte by byte. Where instructions changed, the line table
    and the exception table are encoded anew as far as they have to be, and the stack size follows
    from the depth of the stack in the old and in the new instructions.

    Raises:
        Refused: A jump leads against its direction, or to an instruction that is not in the
            listing; control falls off the end, or the stack underflows; or instructions of a
            version before 3.11 would have to move.
        CodeError: The instructions of the original cannot be followed.
    """
    code = listing.code
    operations, offsets = _place_all(listing)
    raw = encode_instructions(operations, listing.rules)
    exceptiontable = _exceptiontable(listing, offsets)
    if raw == code.code and exceptiontable == code.exceptiontable:
        linetable = _linetable(listing, operations)
        if linetable != code.linetable:
            # A table that covers more or less than the code is kept too, if no position changed.
            untouched = decode_listing(code)
            if linetable != _linetable(untouched, operations):
                return replace(code, linetable=linetable)
        return code
    changed = replace(
        code,
        code=raw,
        exceptiontable=exceptiontable,
        linetable=_linetable(listing, operations),
    )
    return replace(changed, stacksize=stack_size(code, changed))


def stack_size(old: Code, new: Code) -> int:
    """Stack slots to reserve for changed instructions.

    Compilers reserve at times more than any path uses; what they reserved above that is kept.

    Raises:
        CodeError: The old instructions cannot be followed.
        Refused: The new ones cannot.
    """
    spare = max(0, old.stacksize - needed(build(old)))
    try:
        return needed(build(new)) + spare
    except CodeError as problem:
        raise Refused(
            f"the edited code cannot run: {problem.what}",
            code=problem.code,
            offset=problem.offset,
            line=problem.line,
            expected=problem.expected,
            found=problem.found,
        ) from problem


def _place_all(listing: Listing) -> tuple[list[Operation], list[int]]:
    """The operations with the opargs of their jumps, and the offset of each; then the end."""
    index_of = {id(item): index for index, item in enumerate(listing.items)}
    operations = []
    jumps = []  # index of the jump, index of its target
    for index, item in enumerate(listing.items):
        oparg = item.oparg
        if item.target is not None:
            target = index_of.get(id(item.target))
            if target is None:
                raise _refused(listing, index, "a jump leads to an instruction that is not there")
            jumps.append((index, target))
            oparg = 0
        operations.append(Operation(item.opcode, oparg, item.prefixes, item.caches))
    for _ in range(_ROUNDS):
        offsets = _offsets(operations, listing)
        grown = False
        for index, target in jumps:
            operation = operations[index]
            oparg = _distance(listing, operation, index, offsets, target)
            before = operation.prefixes_written
            # A jump that needed a prefix keeps it, so that the rounds come to an end.
            laid = operation._replace(oparg=oparg, prefixes=max(before, operation.prefixes))
            operations[index] = laid
            grown = grown or laid.prefixes_written > before
        if not grown:
            return operations, offsets
    raise InternalError("laying out does not come to rest", code=listing.code.qualname)


def _offsets(operations: list[Operation], listing: Listing) -> list[int]:
    rules = listing.rules
    steps = rules.steps
    offsets = []
    at = 0
    for operation in operations:
        offsets.append(at)
        at += 2 * (operation.prefixes_written + steps[operation.opcode])
    offsets.append(at)
    return offsets


def _distance(
    listing: Listing, operation: Operation, index: int, offsets: list[int], target: int
) -> int:
    """The oparg that leads a jump to its target."""
    meaning = listing.meaning(listing.items[index])
    base = meaning.jump_base
    if not meaning.absolute:
        base += offsets[index] + 2 * operation.prefixes_written
    oparg, rest = divmod(offsets[target] - base, meaning.jump_unit)
    if oparg < 0 or rest:
        raise _refused(listing, index, f"{listing.opname(listing.items[index])} leads backwards")
    return oparg


def _refused(listing: Listing, index: int, what: str) -> Refused:
    item = listing.items[index]
    return Refused(what, code=listing.code.qualname, line=item.line, found=listing.opname(item))


def _exceptiontable(listing: Listing, offsets: list[int]) -> bytes:
    """The exception table; as it stood, if it says the same."""
    regions = list(_regions(listing, offsets))
    old = listing.code.exceptiontable
    if not regions and not old:
        return old
    return old if decode_regions(old) == regions else encode_regions(regions)


def _regions(listing: Listing, offsets: list[int]) -> Iterator[Region]:
    """Runs of instructions with the same handler, ascending and apart from one another."""
    index_of = {id(item): index for index, item in enumerate(listing.items)}
    at = 0
    for _, group in groupby(listing.items, key=lambda item: id(item.handler)):
        run = list(group)
        handler = run[0].handler
        start, at = at, at + len(run)
        if handler is None:
            continue
        target = index_of.get(id(handler.target))
        if target is None:
            raise Refused("a handler is not there", code=listing.code.qualname, line=run[0].line)
        yield Region(
            offsets[start], offsets[at], offsets[target], handler.depth, handler.keeps_lasti
        )


def _linetable(listing: Listing, operations: list[Operation]) -> bytes:
    """The line table; entries as they stood where neither their length nor their base changed."""
    code, steps = listing.code, listing.rules.steps
    runs: list[tuple[Place, int]] = []
    for item, operation in zip(listing.items, operations, strict=True):
        units = operation.prefixes_written + steps[operation.opcode]
        if runs and runs[-1][0] is item.place:
            runs[-1] = item.place, runs[-1][1] + units
        else:
            runs.append((item.place, units))
    if listing.rules.lines != "locations":
        return _old_linetable(listing, operations)
    pieces = []
    line = code.firstlineno
    for place, units in runs:
        if place.raw and units == place.units and line == place.line:
            pieces.append(place.raw)
        else:
            pieces.append(encode_locations([Location(units, place.span)], line))
        lineno = place.span[0]
        line = line if lineno is None else lineno
    return b"".join(pieces)


def _old_linetable(listing: Listing, operations: list[Operation]) -> bytes:
    """To 3.10: the table as it is, which is right as long as nothing moved."""
    code, rules = listing.code, listing.rules
    before = [operation.units(rules) for operation in decode_operations(code)]
    if before == [operation.units(rules) for operation in operations]:
        return code.linetable
    raise Refused(
        f"instructions of CPython {code.version} cannot be moved",
        code=code.qualname,
        expected="code of a CPython with a table of locations",
        hint="Change constants or names so that no index goes beyond 255.",
    )
