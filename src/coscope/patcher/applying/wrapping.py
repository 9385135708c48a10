"""Wrap calls: `f(a, k=b)` becomes `wrapper(f, a, k=b)`."""

from __future__ import annotations

from collections.abc import Mapping

from coscope.errors import Refused, hidden_for
from coscope.flow import build
from coscope.flow.domains.origin import Origins, takers
from coscope.model import Code
from coscope.patcher.applying.assembler import Assembler
from coscope.patcher.applying.instructions import finish
from coscope.patcher.edits.model import WrapCall
from coscope.patcher.edits.selection import Use, instructions_of, require, shown
from coscope.patcher.listing.listing import Item, decode_listing

__tracebackhide__ = hidden_for

_CALLS = ("CALL", "CALL_KW")
_FLAG = 1  # of LOAD_GLOBAL, LOAD_ATTR, LOAD_SUPER_ATTR: pushes a NULL or self too


def wrap_call(code: Code, edit: WrapCall) -> Code:
    """Apply the edit to one code object.

    The wrapper goes below the callable, where the NULL for the callable was pushed; a bound method
    is then made of what would have been called with `self`.

    Raises:
        NothingSelected: No instruction is chosen.
        Refused: None of those is a call, or one has no NULL of its own: a decorator, a
            comprehension, `f(*args)`.
    """
    listing = decode_listing(code)
    assembler = Assembler(listing)
    calls = [use for use in require(code, edit.where) if _is_call(code, use)]
    if not calls:
        use = require(code, edit.where)[0]
        raise Refused(
            "no chosen instruction is a call with arguments of its own",
            code=code.qualname,
            found=shown(code, use.at),
            hint="f(*args) and f(**kwargs) cannot be wrapped.",
        )
    every = instructions_of(code)
    numbers = {use.at: use.number for use in every}
    taken = takers(build(code))
    before: dict[int, list[Item]] = {}
    after: dict[int, list[Item]] = {}
    items = listing.items
    chosen = {_producer(code, use, taken, assembler.null_first) for use in calls}
    _check_shared(code, [use for use in every if use not in calls], chosen, taken, assembler)
    for use in calls:
        _one_more(items, use.number, assembler)
    for producer in chosen:
        number = numbers[producer]
        item = items[number]
        if listing.opname(item) == "PUSH_NULL" and assembler.null_first:
            after[number] = assembler.load(edit.wrapper, item)
        elif listing.opname(item) == "PUSH_NULL":
            # callable -> wrapper, NULL, callable; the NULL that was pushed serves.
            swap = [assembler.item("SWAP", 2, item)]
            before[number] = [*assembler.load(edit.wrapper, item), *swap]
            after[number] = [assembler.item("SWAP", 2, item)]
        else:
            _drop_self(assembler, item)
            after[number] = _below(assembler, edit, item)
    listing.weave(before, after)
    return finish(listing, assembler)


def _check_shared(
    code: Code,
    others: list[Use],
    chosen: set[int],
    taken: Mapping[int, tuple[object, tuple[Origins, ...]]],
    assembler: Assembler,
) -> None:
    """Refuse if a call that is not chosen takes what one that is takes too.

    The compiler writes the end of `(f if a else g)(b)` twice.
    """
    slot = 0 if assembler.null_first else 1
    for use in others:
        if use.at in taken and code.instructions.opname(use.at) in (*_CALLS, "CALL_FUNCTION_EX"):
            origins = taken[use.at][1]
            if len(origins) > slot and origins[slot] & chosen:
                raise Refused(
                    "a call that is not chosen has the same callable",
                    code=code.qualname,
                    offset=code.instructions.offsets[use.at],
                    line=code.instructions.positions[use.at][0],
                    hint="Choose both calls.",
                )


def _is_call(code: Code, use: Use) -> bool:
    return code.instructions.opname(use.at) in _CALLS


def _producer(
    code: Code,
    use: Use,
    taken: Mapping[int, tuple[object, tuple[Origins, ...]]],
    null_first: bool,
) -> int:
    """The instruction that pushed the NULL or self of a call."""
    columns = code.instructions
    origins = taken[use.at][1] if use.at in taken else ()
    slot = 0 if null_first else 1
    found = origins[slot] if len(origins) > slot else frozenset()
    if len(found) == 1:
        [index] = found
        if index >= 0:
            name = columns.opname(index)
            # An instruction that can push both made both.
            if name in ("PUSH_NULL", "LOAD_METHOD") or (
                name in ("LOAD_GLOBAL", "LOAD_ATTR", "LOAD_SUPER_ATTR")
                and columns.opargs[index] & _FLAG
            ):
                return index
    raise Refused(
        "this call has no place for a wrapper: its callable came with an argument",
        code=code.qualname,
        offset=columns.offsets[use.at],
        line=columns.positions[use.at][0],
        found=shown(code, use.at),
        hint="Decorators, comprehensions and the ends of with statements are such calls.",
    )


def _drop_self(assembler: Assembler, item: Item) -> None:
    """Let an instruction push the callable alone."""
    if item.opcode == _number(assembler, "LOAD_METHOD"):
        item.opcode = assembler.row("LOAD_ATTR").code
        item.caches = None
    else:
        item.oparg &= ~_FLAG


def _number(assembler: Assembler, opname: str) -> int | None:
    row = assembler.rules.opcodes.get(opname)
    return None if row is None else row.code


def _below(assembler: Assembler, edit: WrapCall, item: Item) -> list[Item]:
    """callable -> wrapper, NULL, callable in the order of the version."""
    load = assembler.load(edit.wrapper, item)
    null = assembler.item("PUSH_NULL", 0, item)
    if assembler.null_first:
        # callable, wrapper, NULL -> NULL, wrapper, callable
        return [*load, null, assembler.item("SWAP", 3, item)]
    swap = [assembler.item("SWAP", 2, item), null, assembler.item("SWAP", 2, item)]
    return [*load, *swap]


def _one_more(items: list[Item], number: int, assembler: Assembler) -> None:
    """Give a call one argument more."""
    items[number].oparg += 1
    if number and items[number - 1].opcode == _number(assembler, "PRECALL"):
        items[number - 1].oparg += 1
