"""The global names of a live function, found in its bytes and all looked up at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from types import CodeType, FunctionType
from typing import NamedTuple

from coscope.facts.names.scopes import builtins_of
from coscope.opcodes import table
from coscope.readers.from_function import HOST_VERSION, exact_tuple
from coscope.readers.live_code import code_bytes


class _Search(NamedTuple):
    """How to find the opcodes of the host that use globals, or names of a class body."""

    frequent: int  # the opcode that nearly all of them are
    shift: int  # its flag bits
    dull: bytes  # every other opcode but the rare ones
    rare: tuple[tuple[int, int], ...]  # opcodes and their flag bits
    extended_arg: int


@cache
def _search(version: str) -> _Search:
    found = {}
    opcodes = table(version)
    for opcode, row in enumerate(opcodes.by_code):
        if row is not None and row.form == "base" and row.access and row.operand.startswith("name"):
            verb, *_, last = row.access[0].split()
            if verb != "import" and last in ("name", "global"):
                found[opcode] = int(row.operand.partition(">>")[2] or 0)
    frequent = opcodes.opcodes["LOAD_GLOBAL"].code
    shift = found.pop(frequent)
    dull = bytes(opcode for opcode in range(256) if opcode not in found)
    return _Search(frequent, shift, dull, tuple(found.items()), opcodes.extended_arg)


def _indexes(co: CodeType) -> set[int]:
    """Indexes in `co_names` of the names that the code object itself uses as globals.

    A live code object's `co_code` has zeros in its cache units, and zero is the number of no
    opcode with a name; so each code unit can be taken for an instruction.
    """
    code = code_bytes(co, HOST_VERSION)
    opcodes = code[::2]
    frequent, shift, dull, rare, extended_arg = _search(HOST_VERSION)
    if extended_arg in opcodes:
        every = ((frequent, shift), *rare)
        return set(_slowly(code, opcodes, every, extended_arg))
    found = set()
    find = opcodes.find
    at = find(frequent)
    while at >= 0:
        found.add(code[2 * at + 1] >> shift)
        at = find(frequent, at + 1)
    if opcodes.translate(None, dull):
        found.update(_slowly(code, opcodes, rare, extended_arg))
    return found


def _slowly(
    code: bytes, opcodes: bytes, wanted: Iterable[tuple[int, int]], extended_arg: int
) -> Iterator[int]:
    """The indexes in the opargs of some opcodes, with their prefixes applied."""
    for opcode, flags in wanted:
        at = opcodes.find(opcode)
        while at >= 0:
            oparg, shift, prefix = code[2 * at + 1], 8, at - 1
            while prefix >= 0 and opcodes[prefix] == extended_arg:
                oparg |= code[2 * prefix + 1] << shift
                shift += 8
                prefix -= 1
            yield oparg >> flags
            at = opcodes.find(opcode, at + 1)


def global_names(co: CodeType) -> set[str]:
    """Names that a code object and the code nested in it look up, bind or delete as globals."""
    found: set[str] = set()
    for each in with_nested(co):
        names = exact_tuple(each.co_names)
        if names:
            indexes = _indexes(each)
            try:
                found.update([names[index] for index in indexes])
            except IndexError:  # no compiler makes such code
                found.update([names[index] for index in indexes if index < len(names)])
    return found


def with_nested(co: CodeType) -> list[CodeType]:
    """A code object and every one inside of it, each once."""
    found = [co]
    if CodeType in map(type, co.co_consts):
        seen = {id(co)}
        for each in found:
            for const in exact_tuple(each.co_consts):
                if type(const) is CodeType and id(const) not in seen:
                    seen.add(id(const))
                    found.append(const)
    return found


def names_now(
    function: FunctionType, co: CodeType
) -> tuple[dict[str, object], dict[str, object] | None]:
    """What the names of a function and its nested code are bound to now: globals and builtins.

    Names that are only attributes are among them. Which those are depends on the bytes alone;
    since these do not change, it can be found out later.
    """
    space, builtin = function.__globals__, builtins_of(function)
    names: Iterable[str] = co.co_names
    if CodeType in map(type, co.co_consts):
        names = {name for each in with_nested(co) for name in each.co_names}
    if type(space) is not dict:
        space = dict(dict.items(space))  # the methods of a subclass do not run
    return (
        {name: space[name] for name in names if name in space},
        None if builtin is None else {name: builtin[name] for name in names if name in builtin},
    )
