"""Code objects -> rows, collected as columns. No row is made: each column grows by itself."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, MutableSequence, Sequence
from functools import cache
from hashlib import blake2b
from itertools import accumulate, compress
from operator import itemgetter
from typing import NamedTuple, cast

from coscope.codec import constant_text, decode_regions
from coscope.codec.lines import decode_rows
from coscope.corpus.schema import TABLES
from coscope.facts.names.accesses import Accesses, accesses_of
from coscope.model import Code, Constant, FrozenSet, Opaque, Slice
from coscope.opcodes import table

TEXT = 200  # characters of a constant that are kept

_ARRAYS = {"int64": "q", "int32": "i", "bool": "b"}

Column = MutableSequence[object]  # a list, or an array of numbers


class Rows:
    """The rows of some files, column by column, in the order in which they were added."""

    def __init__(self, details: frozenset[str] = frozenset()) -> None:
        self.schemas = {
            name: schema
            for name, schema in TABLES.items()
            if schema.detail is None or schema.detail in details
        }
        self.columns: dict[str, dict[str, Column]] = {
            name: {column.name: _column(column.type, column.default) for column in schema.columns}
            for name, schema in self.schemas.items()
        }

    def add(self, table: str, /, **values: object) -> None:
        """Add one row: a value for every column of the table."""
        columns = self.columns[table]
        assert values.keys() == columns.keys(), table
        for name, value in values.items():
            columns[name].append(value)

    def count(self, name: str) -> int:
        """How many rows a table has."""
        return len(next(iter(self.columns[name].values())))


def _column(kind: str, default: object) -> Column:
    # Only an array converts without a look at each item, but it holds no null.
    code = _ARRAYS.get(kind) if default is not None else None
    return cast("Column", array(code)) if code else []


def add_codes(rows: Rows, file: int, root: Code) -> tuple[int, int]:
    """Add the rows of every code object of a file.

    Returns:
        Number of code objects and of instructions.

    Raises:
        CodeError: The bytes are no instruction sequence of their version, or a table is damaged.
    """
    codes, parents = _numbered(root)
    described = [_described(code.consts) for code in codes]
    bodies = _bodies(codes, described)
    owners: list[dict[str, int]] = []
    used: list[Accesses] = []
    instructions = 0
    for index, code in enumerate(codes):
        made = code.instructions
        instructions += len(made)
        uses = accesses_of(code)
        used.append(uses)
        _code(rows, file, index, code, parents[index], bodies[id(code)])
        rows.add("instructions", file=file, code=index, opcodes=made.opcodes, opargs=made.opargs)
        _names(rows, file, index, uses)
        _calls(rows, file, index, code, uses)
        _constants(rows, file, index, described[index])
        owners.append(_cells(rows, file, index, code, owners[parents[index]] if index else {}))
    _dependencies(rows, file, codes, used)
    return len(codes), instructions


def _code(rows: Rows, file: int, index: int, code: Code, parent: int, body: int) -> None:
    regions = decode_regions(code.exceptiontable) if code.exceptiontable else []
    blocks, backward = _flow(code, [region.target for region in regions])
    rows.add(
        "codes",
        file=file,
        code=index,
        parent=parent,
        qualname=_text(code.qualname),
        name=_text(code.name),
        kind=code.kind,
        first_line=code.firstlineno,
        flags=int(code.flags),
        argcount=code.argcount,
        posonlyargcount=code.posonlyargcount,
        kwonlyargcount=code.kwonlyargcount,
        nlocals=code.nlocals,
        stacksize=code.stacksize,
        bytes=len(code.code),
        instructions=len(code.instructions),
        blocks=blocks,
        backward_jumps=backward,
        constants=len(code.consts),
        cellvars=len(code.cellvars),
        freevars=len(code.freevars),
        regions=len(regions),
        body=body,
    )
    for region in regions:
        rows.add(
            "regions",
            file=file,
            code=index,
            start=region.start,
            stop=region.stop,
            target=region.target,
            depth=region.depth,
            lasti=region.keeps_lasti,
        )


def _numbered(root: Code) -> tuple[list[Code], list[int]]:
    """Every code object, depth first in constant order, and the index of its parent."""
    codes: list[Code] = []
    parents: list[int] = []
    pending = [(root, -1)]
    while pending:
        code, parent = pending.pop()
        index = len(codes)
        codes.append(code)
        parents.append(parent)
        pending += [(each, index) for each in reversed(code.consts) if isinstance(each, Code)]
    return codes, parents


class Described(NamedTuple):
    """One constant as the table has it, its text not yet cut."""

    at: int  # index into co_consts
    kind: str
    text: str
    length: int


def _described(consts: tuple[Constant, ...]) -> list[Described]:
    found = []
    for index, value in enumerate(consts):
        kind = type(value)
        if kind is str:
            found.append(Described(index, "str", value, len(value)))
        elif kind is not Code:
            found.append(Described(index, _kind_name(value), _constant(value), _length(value)))
    return found


def _constant(value: Constant) -> str:
    if type(value) is int:
        return str(value) if -(2**63) <= value < 2**63 else hex(value)
    return constant_text(_ordered(value))


def _ordered(value: Constant) -> Constant:
    """The constant with the items of frozensets sorted: their order follows the hash seed."""
    if type(value) is FrozenSet:
        return FrozenSet(tuple(sorted(map(_ordered, value.items), key=constant_text)))
    if type(value) is tuple and any(type(each) in (FrozenSet, tuple) for each in value):
        return tuple(map(_ordered, value))
    return value


def _kind_name(value: Constant) -> str:
    """The type's name as Python knows it."""
    kind = type(value)
    if kind is Opaque:
        return str(value.type_name)
    return _OWN_KINDS.get(kind) or kind.__name__


_OWN_KINDS: dict[type, str] = {FrozenSet: "frozenset", Slice: "slice"}


def _length(value: Constant) -> int:
    if isinstance(value, str | bytes | tuple):
        return len(value)
    return len(value.items) if isinstance(value, FrozenSet) else 0


def _bodies(codes: Sequence[Code], described: Sequence[list[Described]]) -> dict[int, int]:
    """By identity of the code object: the hash of what it does, as `codes.body` says."""
    bodies: dict[int, int] = {}
    for code, constants in zip(reversed(codes), reversed(described), strict=True):
        # Nested code objects come after the one that holds them, so theirs are known.
        nested = [
            (at, bodies[id(each)]) for at, each in enumerate(code.consts) if type(each) is Code
        ]
        numbers = code.argcount, code.posonlyargcount, code.kwonlyargcount, int(code.flags)
        text = repr((code.names, *map(tuple, constants), nested, numbers, len(code.code)))
        digest = blake2b(code.code, digest_size=8)
        digest.update(code.exceptiontable)
        digest.update(text.encode("utf-8", "backslashreplace"))
        bodies[id(code)] = int.from_bytes(digest.digest(), "big", signed=True)
    return bodies


@cache
def _jumping(version: str) -> tuple[bytes, bytes]:
    """By opcode: 1 if it jumps; 1 if a new block begins after it."""
    rows = table(version).by_code
    jumps = bytes(1 if row and row.jump else 0 for row in rows)
    ends = bytes(1 if row and (row.jump or row.ends) else 0 for row in rows)
    return jumps, ends


def _flow(code: Code, handlers: Iterable[int]) -> tuple[int, int]:
    """Number of basic blocks, unreachable ones included, and of jumps to earlier offsets."""
    made = code.instructions
    opcodes = bytes(made.opcodes)
    jumps, ends = _jumping(code.version)
    last = len(opcodes) - 1
    offsets = made.offsets
    starts = {0, *handlers}
    backward = 0
    for at in compress(range(len(opcodes)), opcodes.translate(ends)):
        if at < last:
            starts.add(offsets[at + 1])
        if jumps[opcodes[at]]:
            target = made.jump_target(at)
            if target is not None:
                starts.add(target)
                backward += target <= offsets[at]
    return len(starts), backward


def _text(value: str) -> str:
    """Text that every store takes: lone surrogates written out."""
    return value if value.isascii() else value.encode("utf-8", "backslashreplace").decode()


def _names(rows: Rows, file: int, index: int, uses: Accesses) -> None:
    found: dict[tuple[str, str, str], int] = {}
    for (verb, space, name), offsets in uses.variables.items():
        found[name, verb, space] = len(offsets)
    for name, entries in uses.attributes.items():
        for verb, _offset in entries:
            key = name, verb, "attribute"
            found[key] = found.get(key, 0) + 1
    for name, offsets in uses.imports.items():
        found[name, "import", "module"] = len(offsets)
    columns = rows.columns["names"]
    count = len(found)
    columns["file"].extend([file] * count)
    columns["code"].extend([index] * count)
    for name, verb, space in found:
        columns["name"].append(_text(name))
        columns["verb"].append(verb)
        columns["space"].append(space)
    columns["count"].extend(found.values())


def _calls(rows: Rows, file: int, index: int, code: Code, uses: Accesses) -> None:
    if not uses.callees:
        return
    lines = decode_rows(code)
    covered = len(lines)
    columns = rows.columns["calls"]
    count = len(uses.callees)
    ordered = sorted(uses.callees, key=itemgetter(1))
    columns["file"].extend([file] * count)
    columns["code"].extend([index] * count)
    columns["callee"].extend([_text(callee) for callee, _ in ordered])
    columns["line"].extend([lines[at // 2][0] if at // 2 < covered else None for _, at in ordered])


def _constants(rows: Rows, file: int, index: int, constants: list[Described]) -> None:
    columns = rows.columns["constants"]
    columns["file"].extend([file] * len(constants))
    columns["code"].extend([index] * len(constants))
    columns["index"].extend([each.at for each in constants])
    columns["type"].extend([each.kind for each in constants])
    columns["text"].extend([_text(each.text[:TEXT]) for each in constants])
    columns["length"].extend([each.length for each in constants])


def _cells(rows: Rows, file: int, index: int, code: Code, around: dict[str, int]) -> dict[str, int]:
    """Add the cells of a code object; returns who owns each variable for the code inside it."""
    for name in code.freevars:
        rows.add(
            "cells",
            file=file,
            code=index,
            name=_text(name),
            kind="free",
            owner=around.get(name, -1),
        )
    for name in code.cellvars:
        rows.add("cells", file=file, code=index, name=_text(name), kind="cell", owner=index)
    if not code.cellvars:
        return around
    return {**around, **dict.fromkeys(code.cellvars, index)}


@cache
def _builtin_names() -> frozenset[str]:
    import builtins

    return frozenset(vars(builtins)) | {"__file__", "__path__", "__annotations__", "__builtins__"}


def _free_names(uses: Accesses) -> set[str]:
    """What a code object reads of the module or the builtins, and does not bind itself."""
    own = {name for verb, space, name in uses.variables if verb == "write" and space == "name"}
    return {
        path.partition(".")[0]
        for verb, space, path in uses.variables
        if verb == "read" and space in ("global", "name")
    } - own


def _dependencies(rows: Rows, file: int, codes: Sequence[Code], used: Sequence[Accesses]) -> None:
    bound = {
        name
        for index, uses in enumerate(used)
        for verb, space, name in uses.variables
        if verb == "write" and (space == "global" or index == 0)
    }
    star = any(name.endswith("*") for uses in used for name in uses.imports)
    found: dict[tuple[str, str], list[int]] = {}
    for index, uses in enumerate(used):
        seen = {("module", name) for name in uses.modules}
        seen |= {("builtin" if name in _builtin_names() else "unbound", name)
                 for name in _free_names(uses) - bound}  # fmt: skip
        for key in sorted(seen):
            if key[0] != "unbound" or not star:  # after `import *` it may be bound
                found.setdefault(key, []).append(index)
    for kind, name in sorted(found):
        where = found[kind, name]
        rows.add(
            "dependencies", file=file, kind=kind, name=_text(name), code=where[0], count=len(where)
        )


def lengths_of(lists: Iterable[Sequence[int]]) -> array[int]:
    """Where each list begins in all of them laid end to end, as Arrow wants it; int32."""
    return array("i", accumulate(map(len, lists), initial=0))
