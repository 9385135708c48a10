"""Writer of marshalled bytes: model objects -> what `marshal.loads` of that CPython reads.

The form is the plainest that every version reads: no references, so that the same object gives the
same bytes whoever shares it. Files are up to twice as large as CPython's own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from struct import pack
from typing import Any

from coscope.codec.layouts import layout
from coscope.errors import LimitExceeded, PatchError
from coscope.model import Code, Collection, Constant, FrozenSet, Opaque, Slice
from coscope.opcodes import Table, table

_DEEPEST = 200  # values inside one another, as the reader takes them

_SINGLETONS: dict[int, bytes] = {
    id(None): b"N",
    id(True): b"T",
    id(False): b"F",
    id(...): b".",
    id(StopIteration): b"S",
}
_COLLECTIONS = {"list": b"[", "set": b"<", "dict": b"{", "frozendict": b"}"}


def dump(value: Constant, version: str) -> bytes:
    """Marshal a value.

    Args:
        value: A `Code` of that version, or a constant.
        version: "3.13": that reads it.

    Raises:
        PatchError: It holds a live object, which no file can, or code of another version.
        LimitExceeded: It is nested more than 200 deep.

    Source:
        CPython 3.8 to 3.14, Python/marshal.c, `w_complex_object`.

    >>> dump((1, "a"), "3.13").hex(" ")
    '29 02 69 01 00 00 00 7a 01 61'
    """
    return b"".join(_Writer(table(version)).pieces(value, 0))


class _Writer:
    """Writes for one version."""

    def __init__(self, rules: Table) -> None:
        self.rules = rules
        self.layout = layout(rules.layout)

    def pieces(self, value: Constant, depth: int) -> Iterable[bytes]:
        if depth > _DEEPEST:
            raise LimitExceeded(
                "the limit nesting is reached", expected=f"at most {_DEEPEST} levels"
            )
        plain = _SINGLETONS.get(id(value)) or _plain(value)
        if plain is not None:
            yield plain
        elif isinstance(value, Code):
            yield from self._code(value, depth + 1)
        elif type(value) is tuple:
            yield _tuple_head(len(value))
            yield from self._items(value, depth)
        elif isinstance(value, FrozenSet):
            yield pack("<sI", b">", len(value.items))
            yield from self._items(value.items, depth)
        elif isinstance(value, Slice):
            yield b":"
            yield from self._items((value.start, value.stop, value.step), depth)
        elif isinstance(value, Collection):
            yield from self._collection(value, depth)
        else:
            raise _unwritable(value)

    def _items(self, items: Iterable[Constant], depth: int) -> Iterable[bytes]:
        for item in items:
            yield from self.pieces(item, depth + 1)

    def _collection(self, value: Collection, depth: int) -> Iterable[bytes]:
        tag = _COLLECTIONS[value.kind]
        if value.kind in ("list", "set"):
            yield pack("<sI", tag, len(value.items))
            yield from self._items(value.items, depth)
            return
        yield tag
        for pair in value.items:
            yield from self._items(pair, depth)
        yield b"0"

    def _code(self, code: Code, depth: int) -> Iterable[bytes]:
        if code.version != self.rules.version:
            raise PatchError(
                "one file cannot hold code of two versions of CPython",
                code=code.qualname,
                expected=self.rules.version,
                found=code.version,
            )
        head, before, after = _fields(code, self.layout.has_qualname)
        yield b"c"
        yield self.layout.head.pack(*head)
        for field in before:
            yield from self._field(field, depth)
        yield pack("<i", code.firstlineno)
        for field in after:
            yield from self._field(field, depth)

    def _field(self, field: Any, depth: int) -> Iterable[bytes]:
        """A field of a code object; its names are interned, as the interpreter expects."""
        if type(field) is str:
            yield _text(field, interned=True)
        elif type(field) is _Names:
            yield _tuple_head(len(field))
            for name in field:
                yield _text(name, interned=True)
        else:
            yield from self.pieces(field, depth)


class _Names(tuple[str, ...]):
    """A tuple of names, told apart from constants."""


_Fields = tuple[tuple[int, ...], tuple[Any, ...], tuple[Any, ...]]


def _fields(code: Code, has_qualname: bool) -> _Fields:
    """The fields in marshalled order: see `codec.layouts`."""
    counts = (code.argcount, code.posonlyargcount, code.kwonlyargcount)
    names = _Names(code.names)
    head: tuple[int, ...]
    if not has_qualname:
        head = (*counts, code.nlocals, code.stacksize, int(code.flags))
        tuples = (code.varnames, code.freevars, code.cellvars)
        before = (code.code, code.consts, names, *map(_Names, tuples), code.filename, code.name)
        return head, before, (code.linetable,)
    head = (*counts, code.stacksize, int(code.flags))
    locals_ = (_Names(code.localsplusnames), code.localspluskinds)
    texts = (code.filename, code.name, code.qualname)
    return (
        head,
        (code.code, code.consts, names, *locals_, *texts),
        (
            code.linetable,
            code.exceptiontable,
        ),
    )


def _tuple_head(count: int) -> bytes:
    return pack("<sB", b")", count) if count < 256 else pack("<sI", b"(", count)


def _plain(value: Constant) -> bytes | None:
    """A value without parts; None if it is not one."""
    write = _PLAIN.get(type(value))
    return None if write is None else write(value)


def _integer(value: int) -> bytes:
    if -(1 << 31) <= value < 1 << 31:
        return pack("<si", b"i", value)
    rest = abs(value)
    count = (rest.bit_length() + 14) // 15
    # Digits of 15 bits, cut out of the binary text: shifting a long integer is quadratic.
    text = f"{rest:0{15 * count}b}"
    digits = [int(text[at : at + 15], 2) for at in range(0, len(text), 15)]
    size = -count if value < 0 else count
    return pack(f"<si{count}H", b"l", size, *reversed(digits))


def _text(value: str, *, interned: bool = False) -> bytes:
    if not value.isascii():
        data = value.encode("utf-8", "surrogatepass")
        return pack("<sI", b"t" if interned else b"u", len(data)) + data
    data = value.encode("ascii")
    if len(data) < 256:
        return pack("<sB", b"Z" if interned else b"z", len(data)) + data
    return pack("<sI", b"A" if interned else b"a", len(data)) + data


_PLAIN: dict[type, Callable[[Any], bytes]] = {
    int: _integer,
    float: lambda value: pack("<sd", b"g", value),
    complex: lambda value: pack("<sdd", b"y", value.real, value.imag),
    bytes: lambda value: pack("<sI", b"s", len(value)) + value,
    str: _text,
}


def _unwritable(value: Constant) -> PatchError:
    found = value.type_name if isinstance(value, Opaque) else type(value).__name__
    return PatchError(
        "a live object cannot be written to a file",
        expected="a constant that a compiler emits",
        found=found,
    )
