"""Builds marshalled bytes by hand: genuine ones, and ones that no CPython writes."""

from __future__ import annotations

from struct import pack

NONE, TRUE, FALSE, NULL = b"N", b"T", b"F", b"0"


def flagged(value: bytes) -> bytes:
    """The value, and a slot for it in the table of references."""
    return bytes([value[0] | 0x80]) + value[1:]


def ref(slot: int) -> bytes:
    return b"r" + pack("<I", slot)


def small(value: int) -> bytes:
    return b"i" + pack("<i", value)


def long(value: int) -> bytes:
    """An integer in 15-bit digits."""
    digits = []
    rest = abs(value)
    while rest:
        digits.append(rest & 0x7FFF)
        rest >>= 15
    size = -len(digits) if value < 0 else len(digits)
    return b"l" + pack(f"<i{len(digits)}H", size, *digits)


def text(value: str) -> bytes:
    return b"z" + bytes([len(value)]) + value.encode("ascii")


def unicode(value: bytes) -> bytes:
    return b"u" + pack("<I", len(value)) + value


def string(value: bytes) -> bytes:
    return b"s" + pack("<I", len(value)) + value


def sized(kind: bytes, *items: bytes, count: int | None = None) -> bytes:
    """A list "[", set "<", frozenset ">" or long tuple "("; `count` may lie."""
    return kind + pack("<I", len(items) if count is None else count) + b"".join(items)


def items(*values: bytes) -> bytes:
    """A short tuple."""
    return b")" + bytes([len(values)]) + b"".join(values)


def frozenset_of(*values: bytes) -> bytes:
    return sized(b">", *values)


# RESUME 0; RETURN_CONST 0 of 3.13.
_BODY_3_13 = bytes([149, 0, 103, 0])


def code_3_13(
    *,
    counts: tuple[int, int, int, int, int] = (0, 0, 0, 1, 0),
    code: bytes | None = None,
    consts: bytes | None = None,
    names: bytes | None = None,
    localsplusnames: bytes | None = None,
    localspluskinds: bytes | None = None,
    filename: bytes | None = None,
    name: bytes | None = None,
    qualname: bytes | None = None,
    firstlineno: int = 1,
    linetable: bytes | None = None,
    exceptiontable: bytes | None = None,
) -> bytes:
    """A code object of 3.11 or later; every field can be replaced.

    `counts`: argcount, posonlyargcount, kwonlyargcount, stacksize, flags.
    """
    before = [
        code or string(_BODY_3_13),
        consts or items(NONE),
        names or items(),
        localsplusnames or items(),
        localspluskinds or string(b""),
        filename or text("f.py"),
        name or text("<module>"),
        qualname or text("<module>"),
    ]
    after = [linetable or string(b"\xf0\x03\x01\x01\x01\xf0"), exceptiontable or string(b"")]
    head = b"c" + pack("<5i", *counts)
    return head + b"".join(before) + pack("<i", firstlineno) + b"".join(after)


def code_3_8(*, name: bytes | None = None, flags: int = 0x40, consts: bytes | None = None) -> bytes:
    """A code object of 3.8 to 3.10 without arguments and locals."""
    body = string(bytes([100, 0, 83, 0]))  # LOAD_CONST 0; RETURN_VALUE
    empty = items()
    fields = [body, consts or items(NONE), empty, empty, empty, empty, text("f.py")]
    head = b"c" + pack("<6i", 0, 0, 0, 0, 1, flags) + b"".join(fields)
    return head + (name or text("<module>")) + pack("<i", 1) + string(b"")


def pyc(payload: bytes, *, magic: int = 3571, flags: int = 0, rest: bytes = bytes(8)) -> bytes:
    """A whole file; by default of 3.13, recognised by time and size 0."""
    return pack("<H", magic) + b"\r\n" + pack("<I", flags) + rest + payload
