"""Reader of marshalled bytes (versions 2 to 6, CPython 3.8 to 3.15) that makes model objects.

It is meant for bytes that nobody vouches for: it makes no live code object, hashes no container
of the file, keeps its own stack, and stays within `codec.limits`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from struct import Struct, error, unpack_from
from typing import Any, NamedTuple, NoReturn

from coscope.codec.layouts import FieldError, layout
from coscope.codec.limits import DEFAULT, Limits
from coscope.codec.qualnames import with_qualnames
from coscope.errors import LimitExceeded, MarshalError, Truncated
from coscope.model import Code, Collection, Constant, FrozenSet, Slice
from coscope.opcodes import Table

_FLAG_REF = 0x80

# Type bytes that the loop of `_Reader.run` distinguishes.
_REF, _NULL, _NONE = ord("r"), ord("0"), ord("N")
_SHORT = frozenset(b"zZ")
_SMALL_TUPLE, _TUPLE, _CODE = ord(")"), ord("("), ord("c")
_TUPLES, _DICTS = frozenset(b")("), frozenset(b"{}")
_SLICE, _DICT, _FROZENSET, _FROZENDICT = ord(":"), ord("{"), ord(">"), ord("}")
_CODE_TAIL = -1  # a code object whose first line number has been read
_CONTAINERS = frozenset(b"()c:{}[<>")
_COLLECTIONS = {ord("["): "list", ord("<"): "set", _DICT: "dict", _FROZENDICT: "frozendict"}
# These never take a slot in the table of references, flagged or not.
_SINGLETONS: dict[int, Constant] = {
    _NONE: None,
    ord("T"): True,
    ord("F"): False,
    ord("."): Ellipsis,
    ord("S"): StopIteration,
}

_u32 = Struct("<I").unpack_from
_i32 = Struct("<i").unpack_from
_i64 = Struct("<q").unpack_from
_double = Struct("<d").unpack_from
_two_doubles = Struct("<dd").unpack_from

_FLOAT = re.compile(r"[-+]?(\d+\.?\d*(e[-+]?\d+)?|inf|nan)", re.ASCII | re.IGNORECASE)

_PENDING = object()  # in the table of references: a container that is not complete yet


class Unmarshalled(NamedTuple):
    """A value, and where the bytes after it start."""

    value: Constant
    stop: int  # byte offset in the file


def load(
    data: bytes,
    table: Table,
    *,
    file: str | None = None,
    start: int = 0,
    limits: Limits = DEFAULT,
) -> Constant:
    """Read one marshalled value.

    Args:
        data: The whole file, so that errors can name offsets in it.
        table: The version that wrote it.
        file: For errors.
        start: Byte offset of the value.

    Returns:
        A `Code`, or whatever else the bytes hold (see `model.Constant`, `model.Collection`).

    Raises:
        Truncated: The bytes end inside the value.
        LimitExceeded: A bound of `limits` was reached.
        MarshalError: The bytes are not what marshal writes.

    Source:
        CPython 3.8 to 3.14, Python/marshal.c, `r_object`; 3.15 by its output.
    """
    return read(data, table, file=file, start=start, limits=limits).value


def read(
    data: bytes,
    table: Table,
    *,
    file: str | None = None,
    start: int = 0,
    limits: Limits = DEFAULT,
) -> Unmarshalled:
    """As `load`, and return where the value ends too."""
    limits.check_size(len(data), file)
    reader = _Reader(data, table, file, limits)
    try:
        value, stop = reader.run(start)
    except (IndexError, error):
        raise Truncated("the bytes end inside a value", file=file, offset=len(data)) from None
    if isinstance(value, Code) and not reader.layout.has_qualname:
        value = with_qualnames(value, file=file, limits=limits)
    return Unmarshalled(value, stop)


class _Reader:
    """One pass over the bytes."""

    def __init__(self, data: bytes, table: Table, file: str | None, limits: Limits) -> None:
        self.data = data
        # One character a byte: what marshal calls ASCII, CPython reads as Latin-1.
        self.text = data.decode("latin-1")
        self.version = table.version
        self.layout = layout(table.layout)
        self.file = file
        self.limits = limits
        self.most = max(limits.expanded_bytes, limits.expansion * len(data))
        self.refs: list[object] = []
        self.sizes: list[int] = []  # bytes that each of `refs` takes, references written out
        # Enclosing containers: items, how many are missing, kind, slot in `refs`, where it
        # begins, and where it would if every reference were written out.
        self.stack: list[tuple[list[object], int, int, int, int, int]] = []
        self.collections = 0  # open ones

    def run(self, at: int) -> tuple[Constant, int]:
        """Read the value at this offset; return it and the offset after it."""
        # `extra` counts the bytes that the references so far would add if written out.
        data, text, size, atoms = self.data, self.text, len(self.data), _ATOMS
        refs, sizes, stack = self.refs, self.sizes, self.stack
        items: list[object] = []
        left, build, slot, begin, mark, extra = 1, _NULL, -1, at, at, 0
        while True:
            while left:
                left -= 1
                tag = data[at]
                kind = tag & 0x7F
                if kind == _REF:
                    index = _u32(data, at + 1)[0]
                    if index >= len(refs) or refs[index] is _PENDING:
                        self.refuse_reference(at, index)
                    items.append(refs[index])
                    extra += sizes[index]
                    at += 5
                    continue
                if kind in _SHORT:
                    stop = at + 2 + data[at + 1]
                    value: object = text[at + 2 : stop]
                elif kind in _SINGLETONS:
                    items.append(_SINGLETONS[kind])
                    at += 1
                    continue
                elif kind in _CONTAINERS:
                    stack.append((items, left, build, slot, begin, mark))
                    build, slot, begin, mark = kind, self.reserve(tag), at, at + extra
                    items, left, at = self.open(kind, at)
                    continue
                elif kind in atoms:
                    value, stop = atoms[kind](self, at + 1)
                else:
                    left = self.end_dict(tag, build, len(items), at)
                    at += 1
                    continue
                if stop > size:
                    self.refuse_end(at, stop - at)
                if tag & _FLAG_REF:
                    refs.append(value)
                    sizes.append(stop - at)
                items.append(value)
                at = stop
            if build == _CODE:
                items.append(_i32(data, at)[0])
                at += 4
                left, build = self.layout.after, _CODE_TAIL
                continue
            if not stack:
                return items[0], at
            if at + extra > self.most:
                self.refuse("expanded_bytes", begin, f"at most {self.most} bytes", at + extra)
            value = self.close(build, items, begin)
            if slot >= 0:
                refs[slot] = value
                sizes[slot] = at + extra - mark
            items, left, build, slot, begin, mark = stack.pop()
            items.append(value)

    def reserve(self, tag: int) -> int:
        """Slot of a container in the table of references, or -1; taken before its children's."""
        if not tag & _FLAG_REF:
            return -1
        self.refs.append(_PENDING)
        self.sizes.append(0)
        return len(self.refs) - 1

    def open(self, kind: int, at: int) -> tuple[list[Any], int, int]:
        """Begin a container: its first items, how many more follow, and where."""
        data, limits = self.data, self.limits
        if len(self.stack) > limits.nesting:
            self.refuse("nesting", at, f"at most {limits.nesting} levels", "one more")
        if kind == _SMALL_TUPLE:
            return [], data[at + 1], at + 2
        if kind == _CODE:
            head = self.layout.head
            return list(head.unpack_from(data, at + 1)), self.layout.before, at + 1 + head.size
        count = 0
        if kind != _TUPLE:
            self.collections += 1
            if self.collections > limits.collections:
                self.refuse("collections", at, f"at most {limits.collections} levels", "one more")
            if kind == _SLICE:
                return [], 3, at + 1
            if kind in _DICTS:
                return [], -1, at + 1  # until NULL
        count = _u32(data, at + 1)[0]
        if count > len(data) - at - 5:
            raise Truncated(
                "fewer bytes are left than a container has items",
                file=self.file,
                offset=at,
                expected=f"{count} items of at least one byte",
                found=f"{len(data) - at - 5} bytes",
            )
        return [], count, at + 5

    def close(self, kind: int, items: list[object], begin: int) -> Constant:
        """Make the container of these items."""
        if kind in _TUPLES:
            return tuple(items)
        if kind == _CODE_TAIL:
            try:
                return self.layout.build(self.version, items)
            except FieldError as problem:
                raise problem.located(self.file, begin) from None
        self.collections -= 1
        return _collection(kind, items)

    def end_dict(self, tag: int, build: int, count: int, at: int) -> int:
        """NULL ends a dict; anything else that comes here is an unknown type."""
        if tag & 0x7F != _NULL:
            raise MarshalError(
                "unknown type byte",
                file=self.file,
                offset=at,
                expected="a type that marshal writes",
                found=f"0x{tag:02x}",
            )
        if build not in _DICTS or count % 2:
            raise MarshalError(
                "NULL where a value is expected", file=self.file, offset=at, found="'0'"
            )
        return 0

    def take(self, at: int, count: int) -> int:
        """Offset after a number of bytes, if they are there."""
        if at + count > len(self.data):
            self.refuse_end(at, count)
        return at + count

    def refuse(self, limit: str, at: int, expected: str, found: object) -> NoReturn:
        raise LimitExceeded(
            f"the limit {limit} is reached",
            file=self.file,
            offset=at,
            expected=expected,
            found=found,
        )

    def refuse_end(self, at: int, count: int) -> NoReturn:
        raise Truncated(
            "the bytes end inside a value",
            file=self.file,
            offset=at,
            expected=f"{count} bytes",
            found=f"{max(0, len(self.data) - at)}",
        )

    def refuse_reference(self, at: int, index: int) -> NoReturn:
        pending = index < len(self.refs)
        raise MarshalError(
            "a container holds itself" if pending else "a reference to no value",
            file=self.file,
            offset=at,
            expected="a reference to a complete value"
            if pending
            else f"an index below {len(self.refs)}",
            found=index,
        )


def _collection(kind: int, items: list[object]) -> Constant:
    if kind == _FROZENSET:
        return FrozenSet(tuple(items))
    if kind == _SLICE:
        return Slice(*items)
    if kind in _DICTS:
        items = list(zip(items[::2], items[1::2], strict=True))
    return Collection(_COLLECTIONS[kind], tuple(items))


def _bytes(reader: _Reader, at: int) -> tuple[bytes, int]:
    stop = at + 4 + _u32(reader.data, at)[0]
    return reader.data[at + 4 : stop], stop


def _latin(reader: _Reader, at: int) -> tuple[str, int]:
    stop = at + 4 + _u32(reader.data, at)[0]
    return reader.text[at + 4 : stop], stop


def _unicode(reader: _Reader, at: int) -> tuple[str, int]:
    stop = reader.take(at + 4, _u32(reader.data, at)[0])
    try:
        return reader.data[at + 4 : stop].decode("utf-8", "surrogatepass"), stop
    except UnicodeDecodeError as problem:
        raise MarshalError(
            "a string is not UTF-8",
            file=reader.file,
            offset=at + 4 + problem.start,
            found=problem.reason,
        ) from None


def _long(reader: _Reader, at: int) -> tuple[int, int]:
    size = _i32(reader.data, at)[0]
    count = abs(size)
    if count > reader.limits.integer_digits:
        most = f"at most {reader.limits.integer_digits} digits of 15 bits"
        reader.refuse("integer_digits", at - 1, most, count)
    stop = reader.take(at + 4, 2 * count)
    digits = unpack_from(f"<{count}H", reader.data, at + 4)
    if count and (max(digits) > 0x7FFF or not digits[-1]):
        raise MarshalError(
            "an integer is not in normal form",
            file=reader.file,
            offset=at - 1,
            expected="digits of 15 bits, the highest not zero",
        )
    value = _joined(digits)
    return (-value if size < 0 else value), stop


def _text_float(reader: _Reader, at: int) -> tuple[float, int]:
    stop = reader.take(at + 1, reader.data[at])
    digits = reader.text[at + 1 : stop]
    if not _FLOAT.fullmatch(digits):
        raise MarshalError(
            "a float is not a decimal number", file=reader.file, offset=at, found=ascii(digits)
        )
    return float(digits), stop


def _text_complex(reader: _Reader, at: int) -> tuple[complex, int]:
    real, at = _text_float(reader, at)
    imaginary, at = _text_float(reader, at)
    return complex(real, imaginary), at


def _joined(digits: Sequence[int]) -> int:
    """The integer of these 15-bit digits, lowest first.

    Neighbours are joined in rounds, so that the cost is n log n: adding one digit at a time to
    a growing integer would be quadratic.

    >>> _joined([1, 2]) == 1 + (2 << 15)
    True
    """
    bits = 15
    while len(digits) > 1:
        odd = [digits[-1]] if len(digits) % 2 else []
        pairs = zip(digits[::2], digits[1::2], strict=False)
        digits = [low | high << bits for low, high in pairs] + odd
        bits *= 2
    return digits[0] if digits else 0


# How to read the payload of a value without items: it, and the offset after it.
_ATOMS: dict[int, Callable[[_Reader, int], tuple[Constant, int]]] = {
    ord("s"): _bytes,
    ord("i"): lambda reader, at: (_i32(reader.data, at)[0], at + 4),
    ord("I"): lambda reader, at: (_i64(reader.data, at)[0], at + 8),
    ord("l"): _long,
    ord("g"): lambda reader, at: (_double(reader.data, at)[0], at + 8),
    ord("y"): lambda reader, at: (complex(*_two_doubles(reader.data, at)), at + 16),
    ord("f"): _text_float,
    ord("x"): _text_complex,
    ord("a"): _latin,
    ord("A"): _latin,
    ord("u"): _unicode,
    ord("t"): _unicode,
}
