"""Objects that record every call of their own code. Reading must never cause one."""

from __future__ import annotations

from typing import Any

CALLS: list[str] = []


def recorder(name: str) -> Any:
    """A method that records that it ran, and fails."""

    def method(*args: object, **kwargs: object) -> Any:
        CALLS.append(name)
        raise AssertionError(f"{name} was called")

    return method


_SPECIAL = (
    *("__repr__", "__str__", "__eq__", "__ne__", "__hash__", "__lt__", "__bool__", "__len__"),
    *("__iter__", "__next__", "__contains__", "__getitem__", "__getattr__", "__getattribute__"),
    *("__dir__", "__format__", "__reduce_ex__", "__index__", "__int__", "__bytes__"),
    *("__fspath__", "__enter__", "__exit__", "__sizeof__", "__get__"),
)


class HostileType(type):
    """A metaclass whose every hook records."""

    __repr__ = recorder("meta.__repr__")
    __eq__ = recorder("meta.__eq__")
    __hash__ = recorder("meta.__hash__")
    __getattribute__ = recorder("meta.__getattribute__")
    __instancecheck__ = recorder("meta.__instancecheck__")
    __subclasscheck__ = recorder("meta.__subclasscheck__")
    __bool__ = recorder("meta.__bool__")
    __len__ = recorder("meta.__len__")
    __iter__ = recorder("meta.__iter__")


def _namespace() -> dict[str, Any]:
    namespace: dict[str, Any] = {name: recorder(name) for name in _SPECIAL}
    for name in ("__class__", "__wrapped__", "__name__", "__doc__", "__code__", "func"):
        namespace[name] = property(recorder(name))
    return namespace


# In a list, because the search for tests and for doctests looks at every name of a module.
_MADE: list[Any] = [HostileType("Hostile", (), _namespace())]


def hostile_class() -> Any:
    """A class all of whose code records."""
    return _MADE[0]


def hostile() -> Any:
    """An instance of it."""
    return object.__new__(_MADE[0])


class HostileTuple(tuple):  # type: ignore[type-arg]
    """A tuple whose methods record."""

    __slots__ = ()

    __iter__ = recorder("tuple.__iter__")
    __len__ = recorder("tuple.__len__")
    __getitem__ = recorder("tuple.__getitem__")
    __repr__ = recorder("tuple.__repr__")
    __bool__ = recorder("tuple.__bool__")


class HostileDict(dict):  # type: ignore[type-arg]
    """A dict whose methods record."""

    items = recorder("dict.items")
    get = recorder("dict.get")
    __iter__ = recorder("dict.__iter__")
    __len__ = recorder("dict.__len__")
    __bool__ = recorder("dict.__bool__")
    __getitem__ = recorder("dict.__getitem__")
    __missing__ = recorder("dict.__missing__")
    __contains__ = recorder("dict.__contains__")
    __repr__ = recorder("dict.__repr__")


class HostileText(str):
    """A str whose methods record. It hashes and compares as a str, or nothing would find it."""

    __slots__ = ()

    __str__ = recorder("str.__str__")
    __repr__ = recorder("str.__repr__")
    __len__ = recorder("str.__len__")
    __format__ = recorder("str.__format__")
    __getitem__ = recorder("str.__getitem__")
    startswith = recorder("str.startswith")
    endswith = recorder("str.endswith")
