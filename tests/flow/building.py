"""Code objects for the tests of flow: compiled here, taken from the goldens, or built by hand."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from textwrap import dedent
from typing import Any

from coscope.codec import encode_regions
from coscope.codec.unmarshal import load
from coscope.model import Code, Flags, Region
from coscope.opcodes import table
from coscope.readers.from_function import from_code_object

DATA = Path(__file__).parent / "goldens" / "data"
HEADER = 16  # bytes of a .pyc before the marshalled code


def compiled(source: str) -> Code:
    """The first function of a source, compiled by the running interpreter."""
    module = from_code_object(compile(dedent(source), "source.py", "exec", dont_inherit=True))
    return next(constant for constant in module.consts if isinstance(constant, Code))


@cache
def snippet(version: str, file: str) -> dict[str, Code]:
    """The code objects of a golden snippet, by qualified name."""
    module = load((DATA / version / f"{file}.pyc").read_bytes(), table(version), start=HEADER)
    return {code.qualname: code for code in module.walk()}


def built(
    version: str,
    instructions: Iterable[tuple[str, int]],
    *,
    regions: Iterable[Region] = (),
    consts: tuple[Any, ...] = (None,),
    flags: int = 0x3,
) -> Code:
    """A function made of opcodes and opargs; opargs above 255 get their prefixes."""
    rows = table(version).opcodes
    raw = bytearray()
    for name, oparg in instructions:
        for shift in (24, 16, 8):
            if oparg >> shift:
                raw += bytes([rows["EXTENDED_ARG"].code, oparg >> shift & 0xFF])
        raw += bytes([rows[name].code, oparg & 0xFF]) + bytes(2 * rows[name].caches)
    return raw_code(version, bytes(raw), encode_regions(regions), consts=consts, flags=flags)


def raw_code(
    version: str,
    code: bytes,
    exceptiontable: bytes = b"",
    *,
    consts: tuple[Any, ...] = (None,),
    flags: int = 0x3,
) -> Code:
    """A function whose bytecode is given; its names and locals are `a`, `b` and `c`."""
    names = ("a", "b", "c")
    return Code(
        version=version,
        name="built",
        qualname="built",
        filename="built.py",
        firstlineno=1,
        argcount=3,
        posonlyargcount=0,
        kwonlyargcount=0,
        nlocals=3,
        stacksize=10,
        flags=Flags(flags),
        code=code,
        consts=consts,
        names=names,
        varnames=names,
        cellvars=(),
        freevars=(),
        linetable=b"",
        exceptiontable=exceptiontable,
        localsplusnames=names,
        localspluskinds=bytes([0x20] * 3),
    )
