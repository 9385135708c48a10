"""From the answer of a process to what is shown: code objects, symbolic stacks, specialisation."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from coscope.attachment.model import Attached, SeenFrame, SeenFunction, SeenThread, Site
from coscope.errors import CoscopeError, InputError
from coscope.explanations.secrets import HIDDEN, is_secret
from coscope.explanations.standing import Standing
from coscope.explanations.stops import expression_text, instruction_at
from coscope.flags import FAST_CELL, FAST_FREE, FAST_LOCAL, Flags
from coscope.model import Code, Opaque, Source, Value
from coscope.opcodes import table
from coscope.readers.from_function import HOST_VERSION
from coscope.readers.from_source import compile_source, read_bytes
from coscope.readers.libraries import is_library
from coscope.readers.live_code import without_specialization
from coscope.readers.sources import source_from

_HOTTEST = 20  # functions that are listed


def attached_of(pid: int, answer: dict[str, Any], milliseconds: float) -> Attached:
    """Read an answer.

    Raises:
        InputError: The process has no such function.
    """
    codes = [_code(entry) for entry in answer["codes"]]
    sites = [tuple(_sites(entry[10])) for entry in answer["codes"]]
    functions = answer.get("functions", [])
    if isinstance(functions, str):
        raise InputError(functions)
    seen = [
        SeenFunction(
            name=name,
            file=codes[number].filename,
            line=codes[number].firstlineno,
            instructions=_count(codes[number]),
            specialized=sites[number],
            cells=tuple((cell, _value(cell, value)) for cell, value in cells),
        )
        for name, number, cells in functions
    ]
    own = [each for each in seen if not is_library(each.file)]
    seen = sorted(own or seen, key=lambda function: -len(function.specialized))
    return Attached(
        pid=pid,
        release=answer["release"],
        executable=answer["executable"] or "?",
        milliseconds=milliseconds,
        threads=tuple(
            SeenThread(
                identity,
                name,
                tuple(_frame(entry, codes, sites) for entry in reversed(frames)),
            )
            for identity, name, frames in answer["threads"]
        ),
        functions=tuple(seen[:_HOTTEST]),
        notes=(),
    )


def _code(entry: list[Any]) -> Code:
    """A code object from its fields."""
    varnames, cellvars, freevars = (tuple(entry[at]) for at in (13, 14, 15))
    pure = [name for name in cellvars if name not in varnames]
    kinds = [FAST_LOCAL | (FAST_CELL if name in cellvars else 0) for name in varnames]
    return Code(
        version=HOST_VERSION,
        name=entry[0],
        qualname=entry[1],
        filename=entry[2],
        firstlineno=entry[3],
        argcount=entry[4],
        posonlyargcount=entry[5],
        kwonlyargcount=entry[6],
        nlocals=entry[7],
        stacksize=entry[8],
        flags=Flags(entry[9]),
        code=without_specialization(entry[10], HOST_VERSION),
        consts=tuple(map(_constant, entry[11])),
        names=tuple(entry[12]),
        varnames=varnames,
        cellvars=cellvars,
        freevars=freevars,
        linetable=entry[16],
        exceptiontable=entry[17],
        localsplusnames=(*varnames, *pure, *freevars),
        localspluskinds=bytes(kinds + [FAST_CELL] * len(pure) + [FAST_FREE] * len(freevars)),
    )


def _constant(entry: list[Any]) -> object:
    if entry[0] == "plain":
        return float(entry[1]) if entry[2] == "float" else entry[1]
    if entry[0] == "tuple":
        return tuple(map(_constant, entry[1]))
    if entry[0] == "code":
        return Opaque(f"code object {entry[1]}", 0)
    return Opaque(entry[1], entry[2])


def _sites(raw: bytes) -> Iterator[Site]:
    """The instructions that are executed in a specialised form."""
    rules = table(HOST_VERSION)
    at = 0
    while at < len(raw):
        row = rules.by_code[raw[at]]
        base = row if row is None or row.base is None else rules.opcodes[row.base]
        if row is not None and base is not None and row.form == "specialized":
            yield Site(at, base.name, row.name)
        at += 2 * (1 if base is None else 1 + base.caches)


def _count(code: Code) -> int:
    try:
        return len(code.instructions)
    except CoscopeError:
        return 0


def _value(name: str, entry: list[str] | None) -> Value | None:
    if entry is None:
        return None
    return Value(entry[0], HIDDEN if is_secret(name) else entry[1], 0)


def _frame(entry: list[Any], codes: list[Code], sites: list[tuple[Site, ...]]) -> SeenFrame:
    number, lasti, line, names = entry
    code = codes[number]
    index = instruction_at(code, lasti)
    standing = None if index is None else Standing(code, index, _source(code))
    values = [(name, _value(name, value)) for name, value in names]
    return SeenFrame(
        file=code.filename,
        line=line,
        function=code.qualname,
        opname=None if standing is None else code.instructions.opname(standing.index),
        argrepr="" if standing is None else code.instructions.argrepr(standing.index),
        expression=None if standing is None else expression_text(standing),
        stack=() if standing is None else standing.stack(),
        locals=tuple((name, value) for name, value in values if value is not None),
        specialized=len(sites[number]),
        instructions=_count(code),
    )


def _source(code: Code) -> Source | None:
    """The source on this machine, if it compiles to this very code object."""
    read = _compiled(code.filename)
    if read is None:
        return None
    source, module = read
    same = any(
        (each.qualname, each.firstlineno, each.code) == (code.qualname, code.firstlineno, code.code)
        for each in module.walk()
    )
    return source if same else None


@lru_cache(maxsize=64)
def _compiled(path: str) -> tuple[Source, Code] | None:
    try:
        data = read_bytes(path)
        return source_from(data, path), compile_source(data, path)
    except (CoscopeError, ValueError):
        return None
