"""Small code objects for the codec's tests."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from coscope.model import Code, Flags
from coscope.opcodes import table

EMPTY = Code(
    version="3.13",
    name="f",
    qualname="outer.f",
    filename="f.py",
    firstlineno=1,
    argcount=0,
    posonlyargcount=0,
    kwonlyargcount=0,
    nlocals=0,
    stacksize=1,
    flags=Flags(3),
    code=b"",
    consts=(),
    names=(),
    varnames=(),
    cellvars=(),
    freevars=(),
    linetable=b"",
)


def make(*units: tuple[str | int, int], version: str = "3.13", **fields: Any) -> Code:
    """A code object of these instructions; caches are added, prefixes are not."""
    rules = table(version)
    code = bytearray()
    for name, oparg in units:
        opcode = name if isinstance(name, int) else rules.opcodes[name].code
        code += bytes((opcode, oparg)) + bytes(2 * rules.steps[opcode] - 2)
    return replace(EMPTY, version=version, code=bytes(code), **fields)
