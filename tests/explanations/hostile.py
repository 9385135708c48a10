"""A class whose every hook tells on who calls it."""

from __future__ import annotations

from typing import Any

CALLED: list[str] = []  # hooks that ran while armed
_ARMED = [False]

# fmt: off
_HOOKS = (
    "__repr__", "__str__", "__bytes__", "__format__", "__lt__", "__le__", "__eq__", "__ne__",
    "__gt__", "__ge__", "__hash__", "__bool__", "__getattr__", "__getattribute__", "__setattr__",
    "__delattr__", "__dir__", "__get__", "__set__", "__delete__", "__call__", "__len__",
    "__length_hint__", "__getitem__", "__setitem__", "__delitem__", "__iter__", "__next__",
    "__reversed__", "__contains__", "__add__", "__radd__", "__sub__", "__rsub__", "__mul__",
    "__rmul__", "__truediv__", "__rtruediv__", "__mod__", "__rmod__", "__neg__", "__pos__",
    "__abs__", "__invert__", "__int__", "__float__", "__index__", "__round__", "__enter__",
    "__exit__", "__await__", "__aiter__", "__anext__", "__missing__", "__reduce__",
    "__reduce_ex__", "__sizeof__", "__fspath__", "__instancecheck__", "__subclasscheck__",
    "__copy__", "__deepcopy__",
)
# fmt: on


class armed:  # noqa: N801 - reads as a word: `with armed():`
    """While it is entered, every hook that runs is noted."""

    def __enter__(self) -> None:
        CALLED.clear()
        _ARMED[0] = True

    def __exit__(self, *error: object) -> None:
        _ARMED[0] = False


def _hook(owner: str, name: str) -> Any:
    plain = getattr(type if owner == "Meta" else object, name, None)

    def hook(self: Any, *args: Any, **kwargs: Any) -> Any:
        if _ARMED[0]:
            CALLED.append(f"{owner}.{name}")
            raise AssertionError(f"{owner}.{name} ran")
        if plain is None:
            raise AttributeError(name) if name == "__getattr__" else TypeError(name)
        return plain(self, *args, **kwargs)

    return hook


def _tattling_property() -> property:
    def read(self: Any) -> Any:
        if _ARMED[0]:
            CALLED.append("property")
            raise AssertionError("property ran")
        return 1

    return property(read)


_META_HOOKS = [
    name for name in _HOOKS if hasattr(type, name) or name in ("__getattr__", "__iter__")
]
Meta = type("Meta", (type,), {name: _hook("Meta", name) for name in _META_HOOKS})
Hostile: Any = Meta(
    "Hostile",
    (),
    {**{name: _hook("Hostile", name) for name in _HOOKS}, "size": _tattling_property()},
)


class HostileStr(str):
    """A str whose hooks tell too."""

    for _name in ("__eq__", "__hash__", "__repr__", "__str__", "__len__", "__getitem__"):
        locals()[_name] = _hook("str", _name) if _name not in ("__hash__",) else str.__hash__
    del _name


HostileError: Any = type(
    "HostileError",
    (KeyError,),
    {
        name: _hook("Error", name)
        for name in ("__repr__", "__str__", "__eq__", "__getattr__", "__reduce__")
    },
)
