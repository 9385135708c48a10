"""How marshalled bytes say a value: what is flagged, shared and interned. The value is elsewhere.

CPython flags what was referred to more than once while it was written; the value itself does not
show that. The writer follows such a form, so that a value that was read is written as it was.
"""

from __future__ import annotations

from collections.abc import Callable
from struct import Struct, error
from typing import NamedTuple

from coscope.codec.layouts import Layout, layout
from coscope.errors import MarshalError, Truncated
from coscope.opcodes import Table

_FLAG_REF = 0x80

_u32 = Struct("<I").unpack_from
_i32 = Struct("<i").unpack_from

_LONE = frozenset(b"NTF.S")  # these take no slot, flagged or not
_INTERNED = frozenset(b"ZAt")
_NULL = ord("0")


class Form(NamedTuple):
    """How one value was written."""

    slot: int | None  # its number among the flagged values, by which references name it
    refers: int | None  # the slot in whose stead this is a mere reference
    interned: bool  # a string that the reader is to intern
    parts: tuple[Form, ...]  # of its items, or of the objects among a code object's fields


class Forms(NamedTuple):
    """The form of a value, and those that references in it name."""

    root: Form
    by_slot: dict[int, Form]


def forms(data: bytes, table: Table, *, start: int = 0) -> Forms:
    """Tell how a marshalled value was written.

    Args:
        data: Bytes that `unmarshal.load` reads.
        table: The version that wrote them.
        start: Byte offset of the value.

    Raises:
        Truncated: The bytes end inside the value.
        MarshalError: There is a type byte that marshal does not write.
    """
    reader = _Reader(data, layout(table.layout))
    try:
        root, _ = reader.form(start)
    except (IndexError, error):
        raise Truncated("the bytes end inside a value", offset=len(data)) from None
    return Forms(root, reader.by_slot)


class _Reader:
    """One pass over the bytes."""

    def __init__(self, data: bytes, layout: Layout) -> None:
        self.data = data
        self.layout = layout
        self.by_slot: dict[int, Form] = {}
        self.slots = 0

    def form(self, at: int) -> tuple[Form, int]:
        """The form of the value at this offset, and the offset after it."""
        kind = self.data[at] & ~_FLAG_REF
        if kind == ord("r"):
            return Form(None, _u32(self.data, at + 1)[0], False, ()), at + 5
        slot = None
        if self.data[at] & _FLAG_REF and kind not in _LONE:
            # Taken before those of its parts.
            slot, self.slots = self.slots, self.slots + 1
        parts, stop = self._parts(kind, at)
        if stop > len(self.data):
            raise IndexError
        found = Form(slot, None, kind in _INTERNED, tuple(parts))
        if slot is not None:
            self.by_slot[slot] = found
        return found, stop

    def _parts(self, kind: int, at: int) -> tuple[list[Form], int]:
        data = self.data
        size = _SIZES.get(kind)
        if size is not None:
            return [], at + size(data, at)
        if kind == ord(")"):
            return self._many(data[at + 1], at + 2)
        if kind in b"([<>":
            return self._many(_u32(data, at + 1)[0], at + 5)
        if kind == ord(":"):
            return self._many(3, at + 1)
        if kind == ord("c"):
            before, at = self._many(self.layout.before, at + 1 + self.layout.head.size)
            after, at = self._many(self.layout.after, at + 4)
            return [*before, *after], at
        if kind in b"{}":
            found = []
            at += 1
            while data[at] != _NULL:
                part, at = self.form(at)
                found.append(part)
            return found, at + 1
        raise MarshalError("unknown type byte", offset=at, found=f"0x{kind:02x}")

    def _many(self, count: int, at: int) -> tuple[list[Form], int]:
        found = []
        for _ in range(count):
            part, at = self.form(at)
            found.append(part)
        return found, at


def _counted(data: bytes, at: int) -> int:
    size: int = 5 + _u32(data, at + 1)[0]
    return size


def _texts(data: bytes, at: int) -> int:
    first = 2 + data[at + 1]
    return first + 1 + data[at + first]


# Bytes that a value without parts takes, its type byte included.
_SIZES: dict[int, Callable[[bytes, int], int]] = {
    **dict.fromkeys(_LONE, lambda data, at: 1),
    **dict.fromkeys(b"saAut", _counted),
    **dict.fromkeys(b"zZf", lambda data, at: 2 + data[at + 1]),
    ord("i"): lambda data, at: 5,
    ord("I"): lambda data, at: 9,
    ord("l"): lambda data, at: 5 + 2 * abs(_i32(data, at + 1)[0]),
    ord("g"): lambda data, at: 9,
    ord("y"): lambda data, at: 17,
    ord("x"): _texts,
}
