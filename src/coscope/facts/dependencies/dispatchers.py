"""`functools.singledispatch`: its function, recognised by its code, and what it has registered."""

from __future__ import annotations

import functools
from types import CodeType, FunctionType

from coscope.readers.attributes import is_a
from coscope.readers.values import name_of_class


def _sample(thing: object) -> None:
    """What is wrapped once, to know the wrapper's code."""


_dispatcher: object = functools.singledispatch(_sample)
DISPATCHER: CodeType = _dispatcher.__code__  # type: ignore[attr-defined]


def cells_of(function: FunctionType) -> dict[str, object]:
    """Free variable -> what its cell holds; empty cells are left out."""
    held = {}
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=False):
        try:
            held[name] = cell.cell_contents
        except ValueError:  # CPython's way to say that it is empty
            continue
    return held


def registry_of(dispatcher: object) -> dict[type, object] | None:
    """Class -> implementation of a `singledispatch` function; None if it is something else."""
    if type(dispatcher) is not FunctionType or dispatcher.__code__ is not DISPATCHER:
        return None
    dispatch = cells_of(dispatcher).get("dispatch")
    registry = cells_of(dispatch).get("registry") if type(dispatch) is FunctionType else None
    return registry if type(registry) is dict else None


def registered(registry: dict[type, object]) -> list[tuple[str, type, object]]:
    """Name of the class, the class and its implementation, in order of names."""
    found = [
        (name_of_class(cls), cls, value) for cls, value in list(registry.items()) if is_a(cls, type)
    ]
    return sorted(found, key=lambda entry: entry[0])
