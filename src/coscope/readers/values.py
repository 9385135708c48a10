"""Any live object -> a short text, without running its code.

Only exact built-in types are written out. Everything else is its type and its address, because
`repr` of another type is somebody's code: it may be slow, wrong, or have effects.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from types import (
    BuiltinFunctionType,
    CodeType,
    FunctionType,
    MethodType,
    ModuleType,
    NotImplementedType,
)
from typing import Any

from coscope.model import Value
from coscope.readers.recent_types import frozen_items, is_frozen_dict, lazily_imported
from coscope.readers.typing_texts import typing_text

WIDTH = 80  # characters of a text, about
_ITEMS = 6  # shown of a container
_SORTED = 1_000  # items of a set that are sorted
_DEPTH = 3  # containers inside containers
_INT_BITS = 200  # an int beyond is shown by its leading digits and its size

_name_of = type.__dict__["__qualname__"].__get__
_module_of = type.__dict__["__module__"].__get__
_module_namespace: Any = vars(ModuleType)["__dict__"]


def value_of(thing: object) -> Value:
    """The object as shown: type, safe short text, identity.

    >>> value_of([1, "two", {3: None}]).text
    "[1, 'two', {3: None}]"
    """
    return Value(type_name_of(thing), text_of(thing), id(thing), thing)


def text_of(thing: object, width: int = WIDTH) -> str:
    """A safe short text of any object, on one line, at most about `width` characters."""
    return shortened(_text(thing, width, _DEPTH), width)


def shortened(text: str, width: int = WIDTH) -> str:
    """The text, its middle left out if it is longer than `width`.

    >>> shortened("abcdefghij", 7)
    'ab...ij'
    """
    if len(text) <= width:
        return text
    left = max(0, (width - 3) // 2)
    return f"{text[:left]}...{text[len(text) - (width - 3 - left) :]}"


def type_name_of(thing: object) -> str:
    """Module-qualified name of an object's real type: `int`, `numpy.ndarray`."""
    return name_of_class(type(thing))


def name_of_class(cls: type) -> str:
    """Module-qualified name of a class; what a metaclass says about it is not asked."""
    name = _name_of(cls)
    module = _module_of(cls)
    if type(module) is not str or module == "builtins":
        return exact_text(name)
    return f"{module}.{exact_text(name)}"


def exact_text(text: str) -> str:
    """A plain str of a str or its subclass."""
    return text if type(text) is str else str.__str__(text)


def _text(thing: Any, width: int, depth: int) -> str:
    kind = type(thing)
    if kind is str or kind is bytes or kind is bytearray:
        return _quoted(thing, width)
    if kind is int:
        return _integer(thing)
    if thing is None or _is_one_of(kind, _PLAIN):
        return repr(thing)
    if _is_one_of(kind, _CONTAINERS) or is_frozen_dict(kind):
        return _container(thing, width, depth)
    return _named(thing)


def _is_one_of(kind: type, kinds: tuple[type, ...]) -> bool:
    """True by identity: `in` would run the `__eq__` of a metaclass."""
    return any(kind is each for each in kinds)


_PLAIN = (bool, float, complex, type(...), NotImplementedType)
_CONTAINERS = (tuple, list, dict, set, frozenset)
_BRACKETS = {
    "tuple": ("(", ")", "()"),
    "list": ("[", "]", "[]"),
    "dict": ("{", "}", "{}"),
    "set": ("{", "}", "set()"),
    "frozenset": ("frozenset({", "})", "frozenset()"),
    "frozendict": ("frozendict({", "})", "frozendict()"),
}


def _quoted(text: Any, width: int) -> str:
    """`repr` of a string's beginning and end; a long string is never escaped whole."""
    if len(text) <= width:
        return shortened(repr(text), width)
    half = width // 2
    return shortened(repr(text[:half] + text[-half:]), width)


def _integer(number: int) -> str:
    """Decimal digits, or for a large number its leading hexadecimal ones.

    `repr` of a large int takes quadratic time, or fails at `sys.set_int_max_str_digits`.
    """
    bits = number.bit_length()
    if bits <= _INT_BITS:
        return repr(number)
    shift = (bits - 48) // 4 * 4
    sign = "-" if number < 0 else ""
    return f"{sign}0x{abs(number) >> shift:x}... ({bits} bits)"


def _container(items: Any, width: int, depth: int) -> str:
    kind = type(items)
    opened, closed, empty = _BRACKETS[kind.__name__]
    if not items:
        return empty
    if depth == 0:
        return f"{opened}...{closed}"
    try:
        if kind is set or kind is frozenset:
            return _unordered(list(items), kind.__name__, width, depth)
        texts = _first_items(items, width, depth)
    except RuntimeError:  # another thread changed its size
        return f"<{kind.__name__} at {id(items):#x}>"
    body = ", ".join(texts)
    if kind is tuple and len(items) == 1:
        body += ","
    return _bracketed(opened, body, closed, width)


def _first_items(items: Any, width: int, depth: int) -> list[str]:
    """Texts of the first items of a sequence or dict, and how many there are if not all are shown.

    Raises:
        RuntimeError: Another thread changed its size.
    """
    pairs = items.items() if type(items) is dict else _pairs_of(items)
    shown = list(islice(items if pairs is None else pairs, _ITEMS + 1))
    if pairs is None:
        texts = [_text(item, width // 2, depth - 1) for item in shown[:_ITEMS]]
    else:
        texts = _pairs(shown[:_ITEMS], width, depth)
    return [*texts, f"... {len(items)} in all"] if len(shown) > _ITEMS else texts


def _bracketed(opened: str, body: str, closed: str, width: int) -> str:
    """A container's text, the middle of what is inside left out if it is too long."""
    if len(opened) + len(body) + len(closed) > width:
        body = shortened(body, width - len(opened) - len(closed))
    return opened + body + closed


def _unordered(items: list[Any], kind: str, width: int, depth: int) -> str:
    """A set in the order of its texts, so that it does not depend on the hash seed."""
    opened, closed, _ = _BRACKETS[kind]
    if len(items) > _SORTED:
        return f"{opened}... {len(items)} in all{closed}"
    texts = sorted(_text(item, width // 2, depth - 1) for item in items)
    more = [f"... {len(items)} in all"] if len(items) > _ITEMS else []
    return _bracketed(opened, ", ".join([*texts[:_ITEMS], *more]), closed, width)


def _pairs_of(items: object) -> Iterable[tuple[object, object]] | None:
    return frozen_items(items) if is_frozen_dict(type(items)) else None


def _pairs(items: Iterable[tuple[object, object]], width: int, depth: int) -> list[str]:
    return [
        f"{_text(key, width // 2, depth - 1)}: {_text(value, width // 2, depth - 1)}"
        for key, value in items
    ]


def _named(thing: Any) -> str:
    """What is known by a name, else the type and the address."""
    kind = type(thing)
    lazy = lazily_imported(thing)
    if lazy is not None:
        return f"<lazy import of {lazy}>"
    if kind is FunctionType:
        return f"<function {exact_text(thing.__qualname__)}>"
    if kind is BuiltinFunctionType:
        return f"<built-in function {thing.__name__}>"
    if kind is MethodType and type(thing.__func__) is FunctionType:
        return f"<bound method {exact_text(thing.__func__.__qualname__)}>"
    if kind is CodeType:
        return f"<code {exact_text(thing.co_qualname)}>"
    if issubclass(kind, type):
        return f"<class {name_of_class(thing)}>"
    known = _module_text(thing) or typing_text(thing, _named_or_plain)
    return f"<{name_of_class(kind)} at {id(thing):#x}>" if known is None else known


def _module_text(thing: Any) -> str | None:
    """A module by its name; None for anything else, and where the name is not a str."""
    if not issubclass(type(thing), ModuleType):
        return None
    name = dict.get(_module_namespace.__get__(thing), "__name__")
    return f"<module {name}>" if type(name) is str else None


def _named_or_plain(thing: Any) -> str:
    return _text(thing, WIDTH, 1)
