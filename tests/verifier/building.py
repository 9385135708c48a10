"""Code objects for the tests of the verifier: genuine ones with one thing changed, or by hand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from coscope.codec import (
    Location,
    Operation,
    decode_operations,
    encode_instructions,
    encode_locations,
    encode_regions,
)
from coscope.model import NOWHERE, Code, Flags, Region
from coscope.opcodes import VERSIONS, table
from coscope.readers.from_pyc import from_pyc
from coscope.verifier import Violation, verify

DATA = Path(__file__).parent.parent / "flow" / "goldens" / "data"
FULL = tuple(version for version in VERSIONS if table(version).exceptions != "block stack")
LOCAL, CELL, FREE = 0x20, 0x40, 0x80
GENERATOR = Flags(0x23)  # OPTIMIZED, NEWLOCALS, GENERATOR


@cache
def snippets(version: str) -> tuple[Code, ...]:
    """The module of each golden snippet, compiled by that version."""
    return tuple(from_pyc(path).code for path in sorted((DATA / version).glob("*.pyc")))


@cache
def genuine(version: str, qualname: str) -> Code:
    """The first code object of that name in the golden snippets."""
    return next(
        code for module in snippets(version) for code in module.walk() if code.qualname == qualname
    )


def changed(code: Code, /, **fields: Any) -> Code:
    """The code object with other fields, and its instructions not yet decoded."""
    return replace(code, **fields)


def edited(code: Code, name: str, /, *, nth: int = 0, **fields: Any) -> Code:
    """Change the nth instruction of a name: `opname`, `oparg`, `prefixes`, `caches`."""
    rules = table(code.version)
    operations = decode_operations(code)
    opcode = rules.opcodes[name].code
    at = [index for index, found in enumerate(operations) if found.opcode == opcode][nth]
    if "opname" in fields:
        fields["opcode"] = rules.opcodes[fields.pop("opname")].code
    operations[at] = operations[at]._replace(**fields)
    return changed(code, code=encode_instructions(operations, rules))


def place(code: Code, name: str, nth: int = 0) -> int:
    """Byte offset of the nth instruction of a name."""
    return [found.offset for found in code.instructions if found.opname == name][nth]


def built(
    version: str,
    *instructions: tuple[str, int] | str,
    regions: Iterable[Region] = (),
    consts: tuple[Any, ...] = (None,),
    slots: Sequence[tuple[str, int]] = (("x", LOCAL), ("y", LOCAL)),
    flags: int = 0x3,
    **fields: Any,
) -> Code:
    """A function of two arguments made of opcodes and opargs; all other fields fit."""
    rules = table(version)
    pairs = [(one, 0) if isinstance(one, str) else one for one in instructions]
    raw = encode_instructions(
        (Operation(rules.opcodes[name].code, oparg) for name, oparg in pairs), rules
    )
    full = version in FULL
    named = {bit: tuple(name for name, kind in slots if kind & bit) for bit in (LOCAL, CELL, FREE)}
    code = Code(
        version=version,
        name="built",
        qualname="built",
        filename="built.py",
        firstlineno=1,
        argcount=sum(bool(kind & LOCAL) for _, kind in slots),
        posonlyargcount=0,
        kwonlyargcount=0,
        nlocals=len(named[LOCAL]),
        stacksize=10,
        flags=Flags(flags),
        code=raw,
        consts=consts,
        names=("a", "b"),
        varnames=named[LOCAL],
        cellvars=named[CELL],
        freevars=named[FREE],
        linetable=encode_locations([Location(len(raw) // 2, NOWHERE)], 1) if full else b"",
        exceptiontable=encode_regions(regions),
        localsplusnames=tuple(name for name, _ in slots),
        localspluskinds=bytes(kind for _, kind in slots),
    )
    return replace(code, **fields)


def size(version: str, *instructions: tuple[str, int]) -> int:
    """Bytes that instructions take with their caches: RESUME has one on 3.15, on no other version.

    What lies after them begins at this offset.
    """
    rules = table(version)
    operations = [Operation(rules.opcodes[name].code, oparg) for name, oparg in instructions]
    return len(encode_instructions(operations, rules))


def found(code: Code, rule: str) -> list[Violation]:
    """What one rule has against the code object itself, not against those nested in it."""
    return [
        violation
        for violation in verify(code).violations
        if violation.rule == rule and violation.code == code.qualname
    ]


def offsets(code: Code, rule: str) -> list[int | None]:
    """Where the violations of one rule are."""
    return [violation.offset for violation in found(code, rule)]
