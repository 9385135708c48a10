"""Room where something can be hidden: parts of a code object that have no effect when it runs."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator

from coscope.codec import decode_regions
from coscope.codec.locations import covered_units
from coscope.codec.regions import is_shortest
from coscope.errors import CoscopeError
from coscope.flow.domains.depth import needed
from coscope.flow.graph import build
from coscope.model import Code, Constant, Instructions
from coscope.opcodes import table
from coscope.readers.docstrings import docstring_of
from coscope.trust.kinds import sign
from coscope.trust.model import Sign
from coscope.trust.places import text_of

_LONG = 512  # bytes or characters of a constant that is looked at for randomness
_RANDOM_BYTES = 7.2  # bits a byte; 8 is random
_RANDOM_TEXT = 5.6  # bits a character; base64 of random bytes has 6
_LARGE_STACK = 64  # slots that a compiler's own estimate is not above what is needed
_UNUSED = 40  # characters or bytes from which an unused constant alone is worth a sign


def rooms(code: Code, like: Code | None, file: str) -> list[Sign]:
    """Signs for each room in a code object and those nested in it.

    Args:
        code: Of the bytecode.
        like: What the source compiles to: what that has too is left out. None: there is no
            source, and only what no compiler writes is a sign.
        file: For the signs.
    """
    found = [each for inner in code.walk() for each in _rooms(inner, file, like is None)]
    if like is None:
        return found
    known = Counter(
        (each.kind, each.code, each.message)
        for inner in like.walk()
        for each in _rooms(inner, file, False)
    )
    left = []
    for each in found:
        key = (each.kind, each.code, each.message)
        if known[key]:
            known[key] -= 1
        else:
            left.append(each)
    return left


def _rooms(code: Code, file: str, alone: bool) -> Iterator[Sign]:
    try:
        instructions = code.instructions
    except CoscopeError:
        return  # a difference, or what the verifier refuses
    yield from _unused_constants(code, instructions, file, alone)
    if not alone:
        yield from _unused_names(code, instructions, file)
    yield from _ignored_bytes(code, instructions, file, alone)
    yield from _dead_blocks(code, file, alone)
    yield from _odd_tables(code, instructions, file)
    yield from _random_constants(code, file)


def _used(code: Code, instructions: Instructions, meaning: str) -> set[int]:
    """Indexes into constants or names that instructions use."""
    rows = table(code.version).by_code
    used = set()
    for at, opcode in enumerate(instructions.opcodes):
        row = rows[opcode]
        if row is None:
            continue
        operand, _, shift = row.operand.partition(">>")
        if operand.split(" ")[0] == meaning:  # "const", and "const names" of KW_NAMES
            used.add(instructions.opargs[at] >> int(shift or 0))
    return used


def _unused_constants(
    code: Code, instructions: Instructions, file: str, alone: bool
) -> Iterator[Sign]:
    used = _used(code, instructions, "const")
    doc = docstring_of(code)
    for index, constant in enumerate(code.consts):
        if index in used or index == doc or (isinstance(constant, str) and not index):
            continue
        if isinstance(constant, Code):
            yield sign(
                "TRU201", f"code {constant.qualname} is never made a function", file,
                code=code.qualname, line=code.firstlineno,
            )  # fmt: skip
        elif not alone or _size(constant) >= _UNUSED:
            text = f"constant {text_of(constant)} is never loaded"
            yield sign("TRU201", text, file, code=code.qualname, line=code.firstlineno)


def _size(constant: Constant) -> int:
    if isinstance(constant, str | bytes):
        return len(constant)
    if isinstance(constant, tuple):
        return sum(map(_size, constant))
    return constant.bit_length() // 8 if isinstance(constant, int) else 0


def _unused_names(code: Code, instructions: Instructions, file: str) -> Iterator[Sign]:
    used = _used(code, instructions, "name")
    for index, name in enumerate(code.names):
        if index not in used:
            text = f"name {name!r} is never used"
            yield sign("TRU202", text, file, code=code.qualname, line=code.firstlineno)


def _ignored_bytes(
    code: Code, instructions: Instructions, file: str, alone: bool
) -> Iterator[Sign]:
    """Arguments of opcodes without argument, and cache units."""
    if instructions.plain and not _has_arguments(code, instructions):
        return
    for at, offset in enumerate(instructions.offsets):
        byte = code.code[offset + 1]
        left = alone and instructions.opname(at).startswith("ROT_")  # some compilers do
        if byte and instructions.arg(at) is None and not left:
            text = f"{instructions.opname(at)} has the argument {byte}"
            yield sign("TRU203", text, file, code=code.qualname, offset=offset)
        stop = instructions.end_offset(at)
        caches = code.code[offset + 2 : stop]
        if any(caches):
            text = f"the cache of {instructions.opname(at)} holds {caches.hex(' ')}"
            yield sign("TRU204", text, file, code=code.qualname, offset=offset + 2)


def _has_arguments(code: Code, instructions: Instructions) -> bool:
    takes = [instructions.arg(at) is None for at in range(len(instructions))]
    return any(
        none and code.code[offset + 1]
        for none, offset in zip(takes, instructions.offsets, strict=True)
    )


def _dead_blocks(code: Code, file: str, alone: bool) -> Iterator[Sign]:
    try:
        graph = build(code)
        depth = needed(graph)
    except CoscopeError:
        return  # the verifier says what is wrong
    rows = code.instructions
    for block in graph.blocks:
        size = block.stop - block.start
        if not block.reachable and (not alone or size > _DEAD):
            text = f"{size} instructions are never reached, from {rows.opname(block.start)}"
            offset = rows.offsets[block.start]
            yield sign("TRU205", text, file, code=code.qualname, offset=offset)
    if code.stacksize > depth + (_LARGE_STACK if alone else 0):
        text = f"{code.stacksize} stack slots are declared, {depth} are needed"
        yield sign("TRU206", text, file, code=code.qualname, line=code.firstlineno)


_DEAD = 64  # instructions; compilers leave small dead blocks


def _odd_tables(code: Code, instructions: Instructions, file: str) -> Iterator[Sign]:
    rules = table(code.version)
    units = len(code.code) // 2
    try:
        lines = {span.lineno for span in instructions.positions if span.lineno is not None}
    except CoscopeError as error:
        yield sign("TRU209", error.what, file, code=code.qualname, line=code.firstlineno)
        lines = set()
    if rules.exceptions != "block stack":
        covered = covered_units(code.linetable)
        if covered is not None and covered > units:
            text = f"the line table has entries for {covered} code units, the code has {units}"
            yield sign("TRU209", text, file, code=code.qualname, line=code.firstlineno)
        yield from _odd_regions(code, units, file)
    if lines and min(lines) < 0:
        text = f"there is a line {min(lines)}"
        yield sign("TRU209", text, file, code=code.qualname, line=code.firstlineno)


def _odd_regions(code: Code, units: int, file: str) -> Iterator[Sign]:
    if not code.exceptiontable:
        return
    try:
        regions = decode_regions(code.exceptiontable, name=code.qualname)
        shortest = is_shortest(code.exceptiontable)
    except CoscopeError as error:
        yield sign("TRU210", error.what, file, code=code.qualname, line=code.firstlineno)
        return
    beyond = [each for each in regions if each.stop > 2 * units or each.start >= each.stop]
    if beyond:
        text = f"{len(beyond)} protected regions cover no code"
        yield sign("TRU210", text, file, code=code.qualname, offset=beyond[0].start)
    elif not shortest:
        text = "the exception table is written longer than needed"
        yield sign("TRU210", text, file, code=code.qualname, line=code.firstlineno)


def _random_constants(code: Code, file: str) -> Iterator[Sign]:
    doc = docstring_of(code)
    for index, constant in enumerate(code.consts):
        if not isinstance(constant, str | bytes) or index == doc or len(constant) < _LONG:
            continue
        bits = entropy(constant)
        limit = _RANDOM_BYTES if isinstance(constant, bytes) else _RANDOM_TEXT
        if bits >= limit and not (isinstance(constant, str) and " " in constant):
            what = "bytes" if isinstance(constant, bytes) else "characters"
            text = f"a constant of {len(constant):,} {what} has {bits:.1f} bits in each"
            yield sign("TRU212", text, file, code=code.qualname, line=code.firstlineno)


def entropy(data: bytes | str) -> float:
    """Bits of information in each byte or character, after Shannon.

    >>> entropy(b"aaaa"), entropy(bytes(range(256)))
    (-0.0, 8.0)
    """
    counts = Counter(data).values()
    total = len(data)
    return -sum(n / total * math.log2(n / total) for n in counts)
