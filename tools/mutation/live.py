"""A code object of the model -> a live one, as a .pyc would give it: through marshal, raw.

`types.CodeType` cannot say everything (hidden locals, the order of slots); marshal can.
"""

from __future__ import annotations

import marshal
from struct import pack
from types import CodeType

from coscope.model import Code, Constant, FrozenSet, Slice

_kept: dict[int, tuple[Code, bytes]] = {}  # genuine code objects and their bytes, by id


def keep(code: Code) -> None:
    """Remember the bytes of a code object that stays; mutants are made of many such."""
    for inner in reversed(list(code.walk())):
        _kept[id(inner)] = inner, _code(inner)


def to_live(code: Code) -> CodeType:
    """Build it.

    Raises:
        ValueError: CPython itself refuses the fields.
    """
    live = marshal.loads(marshalled(code))
    assert isinstance(live, CodeType)
    return live


def marshalled(code: Code) -> bytes:
    """Its bytes, as in the payload of a .pyc."""
    return _value(code)


def _value(value: Constant) -> bytes:
    kind = type(value)
    if kind is Code:
        found = _kept.get(id(value))
        return found[1] if found is not None and found[0] is value else _code(value)
    if kind is tuple:
        return b"(" + pack("<I", len(value)) + b"".join(map(_value, value))
    if kind is FrozenSet:
        return b">" + pack("<I", len(value.items)) + b"".join(map(_value, value.items))
    if kind is Slice:
        return b":" + _value(value.start) + _value(value.stop) + _value(value.step)
    return marshal.dumps(value, 2)  # a version without references


def _code(code: Code) -> bytes:
    head = pack(
        "<5i",
        code.argcount,
        code.posonlyargcount,
        code.kwonlyargcount,
        code.stacksize,
        int(code.flags),
    )
    fields = (code.code, code.consts, code.names, code.localsplusnames, code.localspluskinds,
              code.filename, code.name, code.qualname)  # fmt: skip
    return b"".join(
        (
            b"c",
            head,
            *map(_value, fields),
            pack("<i", code.firstlineno),
            _value(code.linetable),
            _value(code.exceptiontable),
        )
    )
