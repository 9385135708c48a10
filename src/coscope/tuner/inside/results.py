"""Whether two results are the same, as far as that can be decided."""

from __future__ import annotations

from types import ModuleType
from typing import Any, Optional, Set, Tuple

_ATOMS = (int, bool, str, bytes, type(None), type(...), range, slice)
_NUMBERS = (float, complex)  # NaN is the same as NaN here, and 0.0 is not -0.0
_MOST = 1000000  # values that are compared


def same(one: object, other: object) -> Optional[bool]:
    """True, False, or None if it cannot be decided.

    Built-in values and containers are compared by type, content and order; other objects by their
    own `==`, or by their attributes if they have none.
    """
    try:
        return _Comparison().same(one, other)
    except RecursionError:
        return None


class _Comparison:
    def __init__(self) -> None:
        self.met: Set[Tuple[int, int]] = set()

    def same(self, one: object, other: Any) -> Optional[bool]:
        if one is other:
            return True
        if _kind(one) != _kind(other):
            return False
        key = id(one), id(other)
        if key in self.met:
            return True  # it is being compared, or is done
        if len(self.met) >= _MOST:
            return None
        if isinstance(one, _ATOMS) and type(one) in _ATOMS:
            return bool(one == other)
        if type(one) in _NUMBERS:
            return repr(one) == repr(other)
        self.met.add(key)
        if isinstance(one, (list, tuple)):
            return self._each(one, other)
        if isinstance(one, dict):
            return self._all(self._each(list(one), list(other)), lambda: self._values(one, other))
        if isinstance(one, (set, frozenset)):
            return True if one == other else None if _has_objects(one) else False
        if isinstance(one, (ModuleType, type)):
            return None
        return self._object(one, other)

    def _values(self, one: Any, other: Any) -> Optional[bool]:
        return self._each(list(one.values()), list(other.values()))

    def _each(self, one: Any, other: Any) -> Optional[bool]:
        if len(one) != len(other):
            return False
        told = [self.same(mine, others) for mine, others in zip(one, other)]
        return False if False in told else None if None in told else True

    def _all(self, first: Optional[bool], then: Any) -> Optional[bool]:
        if first is False:
            return False
        second: Optional[bool] = then()
        return False if second is False else None if first is None else second

    def _object(self, one: object, other: object) -> Optional[bool]:
        equal: object = type(one).__eq__
        if equal is not object.__eq__:
            try:
                return bool(one == other)
            except Exception:  # an array has no truth value; the user's code may raise anything
                return None
        names = [name for kind in type(one).__mro__ for name in _slots(kind)]
        held = [getattr(each, "__dict__", None) for each in (one, other)]
        if held[0] is None and not names:
            return None
        missing = object()
        slots = [[getattr(each, name, missing) for name in names] for each in (one, other)]
        return self._all(self._each(*slots), lambda: self.same(*held))


def _slots(kind: type) -> Tuple[str, ...]:
    slots = vars(kind).get("__slots__", ())
    names = (slots,) if isinstance(slots, str) else tuple(slots)
    return tuple(name for name in names if name not in ("__dict__", "__weakref__"))


def _kind(value: object) -> Tuple[str, str]:
    """Name of the type: what a setup defines is defined anew for each form."""
    return type(value).__module__, type(value).__qualname__


def _has_objects(values: Any) -> bool:
    return any(type(each) not in _ATOMS + _NUMBERS for each in values)
