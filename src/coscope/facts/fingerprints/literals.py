"""Constants as canonical texts: typed, and in no order that depends on hashes."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from struct import pack
from typing import Any

from coscope.model import Code, Constant, FrozenSet, Opaque, Slice

_LONGEST = 2_000  # characters of a constant's text; a longer one is replaced by its digest

Nested = Callable[[Code], str]  # the text used for a nested code object


def digest(text: str) -> str:
    """SHA-256 of a text, 64 hexadecimal digits."""
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def atom_key(value: Any) -> str | None:
    """A constant without parts, typed: 1, 1.0, True and -0.0 differ. None for any other object.

    >>> atom_key(1), atom_key(True), atom_key(-0.0), atom_key("1")
    ('int 1', 'bool True', 'float -0.0', "str '1'")
    """
    kind = type(value)
    if kind is str:
        text = f"str {value!a}"
    elif kind is int:
        text = f"int {value}" if value.bit_length() < 10_000 else f"int {value:#x}"
    elif value is None or value is Ellipsis or value is NotImplemented:
        return repr(value)
    elif kind is bool:
        return f"bool {value}"
    elif kind is float:
        return f"float {_float(value)}"
    elif kind is complex:
        return f"complex {_float(value.real)} {_float(value.imag)}"
    elif kind is bytes:
        text = f"bytes {value!r}"
    else:
        return None
    return text if len(text) <= _LONGEST else f"{kind.__name__} sha256:{digest(text)}"


def _float(value: float) -> str:
    return repr(value) if value == value else f"nan {pack('>d', value).hex()}"


def constant_key(value: Constant, nested: Nested, memo: dict[int, str] | None = None) -> str:
    """A constant of a code object, typed and in an order that does not depend on hashes.

    Args:
        value: As the model holds it.
        nested: The text used for a code object.
        memo: Texts of containers by id, for the time of one code object.
    """
    text = atom_key(value)
    if text is not None:
        return text
    memo = {} if memo is None else memo
    text = memo.get(id(value))
    if text is None:
        text = _container_key(value, nested, memo)
        if len(text) > _LONGEST:
            text = f"{text[:5]}... sha256:{digest(text)}"
        memo[id(value)] = text
    return text


def _container_key(value: Constant, nested: Nested, memo: dict[int, str]) -> str:
    if isinstance(value, Code):
        return nested(value)
    if type(value) is tuple:
        return f"({', '.join([constant_key(item, nested, memo) for item in value])})"
    if isinstance(value, FrozenSet):
        return f"frozenset({', '.join(sorted(constant_key(i, nested, memo) for i in value.items))})"
    if isinstance(value, Slice):
        parts = (value.start, value.stop, value.step)
        return f"slice({', '.join(constant_key(part, nested, memo) for part in parts)})"
    if isinstance(value, Opaque):
        return f"opaque {value.type_name}"
    return f"<{type(value).__name__}>" if value is not StopIteration else "StopIteration"
