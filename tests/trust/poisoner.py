"""A seeded poisoner: changes to bytecode files, headers and trees, each of which must be reported.

A kind takes a `Code` of the module and gives another one, or takes the bytes of the file. All are
valid files that CPython of that version loads, unless the kind says that it does not.
"""

from __future__ import annotations

import base64
import marshal
import random
import struct
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

from coscope.codec.marshalling import dump
from coscope.codec.pyc import SIZE, read_header
from coscope.codec.unmarshal import load
from coscope.model import Code, Flags
from coscope.opcodes import table

OnCode = Callable[[Code, random.Random], Code]
OnBytes = Callable[[bytes, random.Random], bytes]


class Kind(NamedTuple):
    """One kind of tampering."""

    name: str
    on_code: OnCode | None = None
    on_bytes: OnBytes | None = None
    place: str = ""  # qualified name that the report must give; "": a byte of the file
    rules: tuple[str, ...] = ("TRU101",)  # one of these must be reported


KINDS: list[Kind] = []


def kind(
    place: str = "", *rules: str, only: Callable[[str], bool] = lambda version: True
) -> Callable[[OnCode], OnCode]:
    def add(function: OnCode) -> OnCode:
        name = function.__name__.strip("_")
        KINDS.append(Kind(name, on_code=function, place=place, rules=rules or ("TRU101",)))
        return function

    return add


def on_bytes(*rules: str) -> Callable[[OnBytes], OnBytes]:
    def add(function: OnBytes) -> OnBytes:
        KINDS.append(Kind(function.__name__, on_bytes=function, rules=rules))
        return function

    return add


def poisoned(data: bytes, kind: Kind, seed: int) -> bytes:
    """The bytes of a .pyc file after one tampering."""
    draw = random.Random(f"{kind.name} {seed}")
    if kind.on_bytes is not None:
        return kind.on_bytes(data, draw)
    assert kind.on_code is not None
    version = read_header(data).version
    module = load(data, table(version), start=SIZE)
    assert isinstance(module, Code)
    return data[:SIZE] + dump(kind.on_code(module, draw), version)


def within(module: Code, qualname: str, change: Callable[[Code], Code]) -> Code:
    """A module in which one nested code object is another."""
    if module.qualname == qualname:
        return change(module)
    consts = tuple(
        within(each, qualname, change)
        if isinstance(each, Code) and any(inner.qualname == qualname for inner in each.walk())
        else each
        for each in module.consts
    )
    return replace(module, consts=consts)


def _index(code: Code, *opnames: str) -> int:
    """The first instruction whose opcode begins with one of the names."""
    found = [at for at, each in enumerate(code.instructions) if each.opname.startswith(opnames)]
    assert found, (code.qualname, opnames)
    return found[0]


def _with_unit(code: Code, offset: int, opcode: int | None, arg: int) -> Code:
    data = bytearray(code.code)
    if opcode is not None:
        data[offset] = opcode
    data[offset + 1] = arg
    return replace(code, code=bytes(data))


def _constant(code: Code, old: object, new: object) -> Code:
    consts = list(code.consts)
    at = next(i for i, each in enumerate(consts) if type(each) is type(old) and each == old)
    consts[at] = new
    return replace(code, consts=tuple(consts))


# Constants and names


@kind("guarded")
def a_string(module: Code, draw: random.Random) -> Code:
    return within(module, "guarded", lambda code: _constant(code, "data", "datb"))


@kind("<module>")
def a_number(module: Code, draw: random.Random) -> Code:
    return _constant(module, 1000, draw.randrange(2000, 9000))


@kind("<module>")
def a_float(module: Code, draw: random.Random) -> Code:
    return _constant(module, 0.5, 0.25)


@kind("<module>")
def true_for_one(module: Code, draw: random.Random) -> Code:
    consts = tuple(1 if each is True else each for each in module.consts)
    if consts == module.consts and all(a is b for a, b in zip(consts, module.consts, strict=True)):
        names = tuple("FLAF" if name == "FLAG" else name for name in module.names)
        return replace(module, names=names)
    return replace(module, consts=consts)


@kind("allowed")
def a_set(module: Code, draw: random.Random) -> Code:
    def change(code: Code) -> Code:
        from coscope.model import FrozenSet

        consts = tuple(
            FrozenSet(tuple("toor" if item == "root" else item for item in each.items))
            if isinstance(each, FrozenSet)
            else each
            for each in code.consts
        )
        return replace(code, consts=consts)

    return within(module, "allowed", change)


@kind("guarded")
def a_global_name(module: Code, draw: random.Random) -> Code:
    def change(code: Code) -> Code:
        return replace(code, names=tuple("eval" if n == "open" else n for n in code.names))

    return within(module, "guarded", change)


@kind("Account.pay")
def an_attribute(module: Code, draw: random.Random) -> Code:
    def change(code: Code) -> Code:
        return replace(code, names=tuple("owned" if n == "owner" else n for n in code.names))

    return within(module, "Account.pay", change)


@kind("<module>")
def an_import(module: Code, draw: random.Random) -> Code:
    return replace(module, names=tuple("sys" if n == "os" else n for n in module.names))


@kind("<module>")
def a_default(module: Code, draw: random.Random) -> Code:
    return _constant(module, (2,), (3,)) if (2,) in module.consts else _constant(module, 2, 3)


@kind("<module>")
def a_keyword_default(module: Code, draw: random.Random) -> Code:
    return _constant(module, 10, 11) if 10 in module.consts else _constant(module, "sum", "sun")


def _annotation(code: Code, draw: random.Random) -> Code:
    consts = tuple("bytes" if each == "bytes | None" else each for each in code.consts)
    consts = tuple(
        ("path", "str", "return", "bytes") if each == ("path", "str", "return", "bytes | None")
        else each
        for each in consts
    )  # fmt: skip
    nested = tuple(_annotation(c, draw) if isinstance(c, Code) else c for c in consts)
    return replace(code, consts=nested)


@kind()
def an_annotation(module: Code, draw: random.Random) -> Code:
    return _annotation(module, draw)


# Instructions


@kind("total")
def a_jump_reversed(module: Code, draw: random.Random) -> Code:
    def change(code: Code) -> Code:
        at = _index(code, "POP_JUMP_IF", "POP_JUMP_FORWARD_IF", "POP_JUMP_BACKWARD_IF")
        one = code.instructions[at]
        twin = one.opname.replace("TRUE", "#").replace("FALSE", "TRUE").replace("#", "FALSE")
        row = next(r for r in table(code.version).by_code if r is not None and r.name == twin)
        return _with_unit(code, one.offset, row.code, code.code[one.offset + 1])

    return within(module, "total", change)


@kind("total")
def a_jump_elsewhere(module: Code, draw: random.Random) -> Code:
    def change(code: Code) -> Code:
        at = _index(code, "FOR_ITER")
        offset = code.instructions[at].offset
        return _with_unit(code, offset, None, code.code[offset + 1] + 1)

    return within(module, "total", change)


@kind("Account.pay")
def a_comparison(module: Code, draw: random.Random) -> Code:
    def change(code: Code) -> Code:
        offset = code.instructions[_index(code, "COMPARE_OP")].offset
        return _with_unit(code, offset, None, code.code[offset + 1] ^ 0x40)

    def old(code: Code) -> Code:
        offset = code.instructions[_index(code, "COMPARE_OP")].offset
        return _with_unit(code, offset, None, (code.code[offset + 1] + 1) % 6)

    newer = table(module.version).exceptions != "block stack"
    return within(module, "Account.pay", change if newer else old)


@kind("total")
def an_operator(module: Code, draw: random.Random) -> Code:
    def change(code: Code) -> Code:
        offset = code.instructions[_index(code, "BINARY_OP")].offset
        return _with_unit(code, offset, None, (code.code[offset + 1] + 1) % 12)

    return within(module, "total", change)


@kind("guarded")
def a_handler_gone(module: Code, draw: random.Random) -> Code:
    return within(module, "guarded", lambda code: replace(code, exceptiontable=b""))


@kind("guarded")
def a_handler_shortened(module: Code, draw: random.Random) -> Code:
    def change(code: Code) -> Code:
        from coscope.codec import decode_regions
        from coscope.codec.regions import encode_regions

        regions = decode_regions(code.exceptiontable)
        return replace(code, exceptiontable=encode_regions(regions[1:]))

    return within(module, "guarded", change)


@kind("total")
def code_appended(module: Code, draw: random.Random) -> Code:
    def change(code: Code) -> Code:
        return replace(code, code=code.code[:-2] + code.code[-4:])

    return within(module, "total", change)


# The code object's other fields


def _flag(qualname: str, bit: int) -> OnCode:
    def change(module: Code, draw: random.Random) -> Code:
        def flip(code: Code) -> Code:
            return replace(code, flags=Flags(code.flags ^ bit))

        return within(module, qualname, flip)

    return change


KINDS += [
    Kind("a_generator_flag", on_code=_flag("total", 0x20), place="total"),
    Kind("a_star_args_flag", on_code=_flag("outer", 0x4), place="outer"),
    Kind("a_nested_flag", on_code=_flag("total", 0x10), place="total", rules=("TRU101", "TRU102")),
    Kind("a_future_flag", on_code=_flag("total", 0x1000000), place="total",
         rules=("TRU101", "TRU102")),
]  # fmt: skip


@kind("outer")
def parameters_swapped(module: Code, draw: random.Random) -> Code:
    def change(code: Code) -> Code:
        def swap(names: tuple[str, ...]) -> tuple[str, ...]:
            twins = {"first": "second", "second": "first"}
            return tuple(twins.get(name, name) for name in names)

        return replace(
            code, varnames=swap(code.varnames), localsplusnames=swap(code.localsplusnames)
        )

    return within(module, "outer", change)


@kind("total", "TRU101", "TRU102")
def a_local_renamed(module: Code, draw: random.Random) -> Code:
    def change(code: Code) -> Code:
        def named(names: tuple[str, ...]) -> tuple[str, ...]:
            return tuple("counted" if name == "count" else name for name in names)

        return replace(
            code, varnames=named(code.varnames), localsplusnames=named(code.localsplusnames)
        )

    return within(module, "total", change)


@kind("outer")
def positional_only(module: Code, draw: random.Random) -> Code:
    return within(module, "outer", lambda code: replace(code, posonlyargcount=1))


@kind("total")
def fewer_arguments(module: Code, draw: random.Random) -> Code:
    return within(module, "total", lambda code: replace(code, argcount=code.argcount - 1))


@kind("outer", "TRU102")
def a_docstring(module: Code, draw: random.Random) -> Code:
    return within(module, "outer", lambda code: _constant(code, "Make a closure.", "Make it."))


@kind("total", "TRU102")
def lines_moved(module: Code, draw: random.Random) -> Code:
    return within(module, "total", lambda c: replace(c, firstlineno=c.firstlineno + 7))


@kind("total", "TRU102")
def a_line_table(module: Code, draw: random.Random) -> Code:
    def change(code: Code) -> Code:
        from coscope.codec.locations import decode_locations, encode_locations
        from coscope.model import Span

        held = decode_locations(code.linetable, code.firstlineno)
        moved = [(units, Span(7, 7, 1, 2) if span.lineno else span) for units, span in held]
        return replace(code, linetable=encode_locations(moved, code.firstlineno))  # type: ignore[arg-type]

    return within(module, "total", change)


@kind("total", "TRU102")
def columns_of_one_function(module: Code, draw: random.Random) -> Code:
    def change(code: Code) -> Code:
        from coscope.codec.locations import decode_locations, encode_locations
        from coscope.model import Span

        held = decode_locations(code.linetable, code.firstlineno)
        bare = [(units, Span(span.lineno, span.lineno)) for units, span in held]
        return replace(code, linetable=encode_locations(bare, code.firstlineno))  # type: ignore[arg-type]

    return within(module, "total", change)


@kind("total", "TRU101", "TRU102")
def a_name(module: Code, draw: random.Random) -> Code:
    return within(module, "total", lambda code: replace(code, name="sum_of"))


@kind("", "TRU101", "TRU102")
def a_qualified_name(module: Code, draw: random.Random) -> Code:
    return within(module, "total", lambda code: replace(code, qualname="Account.total"))


@kind("total", "TRU214")
def a_file_name_inside(module: Code, draw: random.Random) -> Code:
    return within(module, "total", lambda code: replace(code, filename="payload"))


@kind("<module>", "TRU214")
def every_file_name(module: Code, draw: random.Random) -> Code:
    def named(code: Code) -> Code:
        consts = tuple(named(each) if isinstance(each, Code) else each for each in code.consts)
        return replace(code, filename="import os; os.system('id')", consts=consts)

    return named(module)


# Nested code


@kind("allowed")
def a_function_replaced(module: Code, draw: random.Random) -> Code:
    other = next(each for each in module.walk() if each.qualname == "numbers")
    named = replace(other, name="allowed", qualname="allowed")
    return within(module, "allowed", lambda code: named)


@kind("<module>", "TRU101", "TRU201")
def a_function_added(module: Code, draw: random.Random) -> Code:
    extra = next(each for each in module.walk() if each.qualname == "numbers")
    named = replace(extra, name="hidden", qualname="hidden")
    return replace(module, consts=(*module.consts, named))


@kind("numbers", "TRU101")
def a_function_removed(module: Code, draw: random.Random) -> Code:
    other = next(each for each in module.walk() if each.qualname == "total")
    consts = tuple(
        other if isinstance(each, Code) and each.name == "numbers" else each
        for each in module.consts
    )
    return replace(module, consts=consts)


@kind("outer.<locals>.inner")
def deep_inside(module: Code, draw: random.Random) -> Code:
    def change(code: Code) -> Code:
        offset = code.instructions[_index(code, "BINARY_OP")].offset
        return _with_unit(code, offset, None, 10)

    return within(module, "outer.<locals>.inner", change)


# Rooms where something is hidden


@kind("total", "TRU201")
def an_unused_constant(module: Code, draw: random.Random) -> Code:
    extra = draw.randbytes(24)
    return within(module, "total", lambda code: replace(code, consts=(*code.consts, extra)))


@kind("total", "TRU201")
def unused_code(module: Code, draw: random.Random) -> Code:
    extra = next(each for each in module.walk() if each.qualname == "numbers")
    return within(module, "total", lambda code: replace(code, consts=(*code.consts, extra)))


@kind("total", "TRU202")
def an_unused_name(module: Code, draw: random.Random) -> Code:
    return within(module, "total", lambda code: replace(code, names=(*code.names, "payload")))


@kind("Account.pay", "TRU203")
def an_argument_byte(module: Code, draw: random.Random) -> Code:
    def change(code: Code) -> Code:
        offset = code.instructions[_index(code, "RETURN_VALUE", "PUSH_NULL", "POP_TOP")].offset
        return _with_unit(code, offset, None, draw.randrange(1, 256))

    return within(module, "Account.pay", change)


@kind("total", "TRU204")
def a_cache_unit(module: Code, draw: random.Random) -> Code:
    def change(code: Code) -> Code:
        offset = code.instructions[_index(code, "BINARY_OP")].offset + 2
        return _with_unit(code, offset, draw.randrange(1, 256), draw.randrange(256))

    return within(module, "total", change)


@kind("allowed", "TRU205", "TRU101")
def a_dead_block(module: Code, draw: random.Random) -> Code:
    def change(code: Code) -> Code:
        return replace(code, code=code.code + code.code[-8:])

    return within(module, "allowed", change)


@kind("total", "TRU206")
def a_stack_size(module: Code, draw: random.Random) -> Code:
    return within(
        module, "total", lambda code: replace(code, stacksize=code.stacksize + draw.randrange(1, 9))
    )


@kind("total", "TRU209", "TRU102")
def a_longer_line_table(module: Code, draw: random.Random) -> Code:
    return within(
        module, "total", lambda code: replace(code, linetable=code.linetable + b"\xf8" * 4)
    )


@kind("guarded", "TRU210", "TRU101")
def a_region_of_nothing(module: Code, draw: random.Random) -> Code:
    def change(code: Code) -> Code:
        from coscope.codec import decode_regions
        from coscope.codec.regions import encode_regions
        from coscope.model import Region

        end = len(code.code)
        regions = [*decode_regions(code.exceptiontable), Region(end, end + 8, 0, 0, False)]
        return replace(code, exceptiontable=encode_regions(regions))

    return within(module, "guarded", change)


@kind("total", "TRU201", "TRU211")
def marshalled_code(module: Code, draw: random.Random) -> Code:
    hidden = base64.b64encode(
        marshal.dumps(compile("import os\nos.system('id')\n" * 8, "x", "exec"))
    )
    return within(module, "total", lambda code: replace(code, consts=(*code.consts, hidden)))


@kind("total", "TRU212")
def a_random_constant(module: Code, draw: random.Random) -> Code:
    extra = draw.randbytes(2048)
    return within(module, "total", lambda code: replace(code, consts=(*code.consts, extra)))


# Bytes of the file


@on_bytes("TRU207")
def trailing_bytes(data: bytes, draw: random.Random) -> bytes:
    return data + draw.randbytes(40).replace(b"N", b"n")


@on_bytes("TRU208")
def a_second_code_object(data: bytes, draw: random.Random) -> bytes:
    return data + data[SIZE:]


@on_bytes("TRU213")
def an_odd_form(data: bytes, draw: random.Random) -> bytes:
    """An integer in the long form, which marshal would write in four bytes."""
    at = data.index(b"\xe8\x03\x00\x00") - 1
    assert data[at] & 0x7F == ord("i")
    return (
        data[:at]
        + bytes([ord("l") | data[at] & 0x80])
        + struct.pack("<iH", 1, 1000)
        + data[at + 5 :]
    )


@on_bytes("TRU301")
def the_time(data: bytes, draw: random.Random) -> bytes:
    time = int.from_bytes(data[8:12], "little")
    return data[:8] + (time ^ 1 << draw.randrange(20)).to_bytes(4, "little") + data[12:]


@on_bytes("TRU301")
def the_size(data: bytes, draw: random.Random) -> bytes:
    return data[:12] + draw.randrange(1, 90).to_bytes(4, "little") + data[16:]


@on_bytes("TRU104")
def undefined_flags(data: bytes, draw: random.Random) -> bytes:
    return data[:4] + (8 << draw.randrange(20)).to_bytes(4, "little") + data[8:]


@on_bytes("TRU302")
def an_unchecked_hash(data: bytes, draw: random.Random) -> bytes:
    return data[:4] + (1).to_bytes(4, "little") + draw.randbytes(8) + data[16:]


@on_bytes("TRU301")
def a_wrong_checked_hash(data: bytes, draw: random.Random) -> bytes:
    return data[:4] + (3).to_bytes(4, "little") + draw.randbytes(8) + data[16:]


@on_bytes("TRU104", "TRU307")
def the_magic_number(data: bytes, draw: random.Random) -> bytes:
    return (3413).to_bytes(2, "little") + data[2:]  # of 3.8


@on_bytes("TRU104", "TRU101")
def cut_off(data: bytes, draw: random.Random) -> bytes:
    return data[: draw.randrange(20, len(data))]
