"""Writer of marshalled bytes: model objects -> what `marshal.loads` of that CPython reads.

The form is the plainest that every version reads: no references, so that the same object gives the
same bytes whoever shares it. Such files are up to twice as large as CPython's own. What was read
from a file can be written in the form that it had there: byte for byte, where nothing changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain, repeat
from struct import pack
from typing import Any, NamedTuple

from coscope.codec.layouts import layout
from coscope.codec.marshal_forms import Form, Forms
from coscope.errors import LimitExceeded, PatchError
from coscope.model import Code, Collection, Constant, FrozenSet, Opaque, Slice
from coscope.opcodes import Table, table

_DEEPEST = 200  # values inside one another, as the reader takes them
_FLAG_REF = 0x80

_SINGLETONS: dict[int, bytes] = {
    id(None): b"N",
    id(True): b"T",
    id(False): b"F",
    id(...): b".",
    id(StopIteration): b"S",
}
_COLLECTIONS = {"list": b"[", "set": b"<", "dict": b"{", "frozendict": b"}"}
_BY_VALUE = frozenset({int, str, bytes})  # equal ones are the same to whoever reads them


def dump(value: Constant, version: str, *, like: Forms | None = None) -> bytes:
    """Marshal a value.

    Args:
        value: A `Code` of that version, or a constant.
        version: "3.13": that reads it.
        like: The form of the bytes that the value, or one from which it was edited, was read from:
            what is there still is written as it stood, shared and flagged as it was.

    Raises:
        PatchError: It holds a live object, which no file can, or code of another version.
        LimitExceeded: It is nested more than 200 deep.

    Source:
        CPython 3.8 to 3.14, Python/marshal.c, `w_complex_object`, `w_ref`.

    >>> dump((1, "a"), "3.13").hex(" ")
    '29 02 69 01 00 00 00 7a 01 61'
    """
    root = None if like is None else like.root
    writer = _Writer(table(version), {} if like is None else like.by_slot)
    return b"".join(writer.pieces(value, 0, root))


class _Names(NamedTuple):
    """Names of a code object, to distinguish them from constants."""

    names: tuple[str, ...]


class _Writer:
    """Writes for one version."""

    def __init__(self, rules: Table, forms: dict[int, Form]) -> None:
        self.rules = rules
        self.layout = layout(rules.layout)
        self.forms = forms
        self.slots = 0  # that are taken in the new bytes
        self.written: dict[int, tuple[int, object]] = {}  # old slot -> new slot, and its value

    def pieces(
        self, value: object, depth: int, form: Form | None, interned: bool = False
    ) -> Iterator[bytes]:
        """The bytes of a value.

        Args:
            value: A constant, or names.
            depth: Values around it.
            form: How what stood in its place was written; None: nothing did.
            interned: Without a form: a string is interned.
        """
        if depth > _DEEPEST:
            raise LimitExceeded(
                "the limit nesting is reached", expected=f"at most {_DEEPEST} levels"
            )
        single = _SINGLETONS.get(id(value))
        if single is not None:
            yield single
            return
        # Compilers share a tuple of names with a constant that is equal.
        plain = value.names if type(value) is _Names else value
        if form is not None and form.refers is not None:
            known = self.written.get(form.refers)
            if known is not None and _same(known[1], plain):
                yield pack("<sI", b"r", known[0])
                return
            form = self.forms.get(form.refers)
        if form is None or form.slot is None:
            yield from self._whole(value, depth, form, interned)
            return
        self.written[form.slot] = self.slots, plain
        self.slots += 1
        whole = self._whole(value, depth, form, interned)
        head = next(whole)
        yield bytes([head[0] | _FLAG_REF]) + head[1:]
        yield from whole

    def _whole(
        self, value: object, depth: int, form: Form | None, interned: bool
    ) -> Iterator[bytes]:
        parts = () if form is None else form.parts
        write = _PLAIN.get(type(value))
        if type(value) is str:
            yield _text(value, interned=interned if form is None else form.interned)
        elif write is not None:
            yield write(value)
        elif isinstance(value, Code):
            yield from self._code(value, depth, parts)
        elif type(value) is _Names:
            yield _tuple_head(len(value.names))
            yield from self._items(value.names, depth, parts, interned=True)
        elif type(value) is tuple:
            yield _tuple_head(len(value))
            yield from self._items(value, depth, parts)
        elif isinstance(value, FrozenSet):
            yield pack("<sI", b">", len(value.items))
            yield from self._items(value.items, depth, parts)
        elif isinstance(value, Slice):
            yield b":"
            yield from self._items((value.start, value.stop, value.step), depth, parts)
        elif isinstance(value, Collection):
            yield from self._collection(value, depth, parts)
        else:
            raise _unwritable(value)

    def _items(
        self,
        items: Iterable[object],
        depth: int,
        parts: Iterable[Form],
        *,
        interned: bool = False,
    ) -> Iterator[bytes]:
        for item, form in zip(items, chain(parts, repeat(None))):  # noqa: B905
            yield from self.pieces(item, depth + 1, form, interned)

    def _collection(
        self, value: Collection, depth: int, parts: tuple[Form, ...]
    ) -> Iterator[bytes]:
        tag = _COLLECTIONS[value.kind]
        if value.kind in ("list", "set"):
            yield pack("<sI", tag, len(value.items))
            yield from self._items(value.items, depth, parts)
            return
        yield tag
        yield from self._items(chain.from_iterable(value.items), depth, parts)
        yield b"0"

    def _code(self, code: Code, depth: int, parts: tuple[Form, ...]) -> Iterator[bytes]:
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
        yield from self._items(before, depth, parts, interned=True)
        yield pack("<i", code.firstlineno)
        yield from self._items(after, depth, parts[len(before) :])


def _same(written: object, value: object) -> bool:
    """True if a reference to what was written replaces the value."""
    if written is value:
        return True
    return type(written) is type(value) in _BY_VALUE and bool(written == value)


_Fields = tuple[tuple[int, ...], tuple[object, ...], tuple[object, ...]]


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
}


def _unwritable(value: Constant) -> PatchError:
    found = value.type_name if isinstance(value, Opaque) else type(value).__name__
    return PatchError(
        "a live object cannot be written to a file",
        expected="a constant that a compiler emits",
        found=found,
    )
