"""Caches round a function that is patched in place: what they keep from before and meanwhile."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from types import FunctionType
from typing import Any

from coscope.readers.attributes import MISSING, class_attribute, instance_attribute, is_a

_LRU = type(functools.lru_cache(len))


def caches_of(thing: object, function: FunctionType) -> list[Any]:
    """The `lru_cache`s through which a function is called, as far as they can be found.

    Args:
        thing: What was given to be patched.
        function: The function inside.
    """
    found: list[object] = []
    for each in (thing, named_in_module(function)):
        if type(each) in (staticmethod, classmethod):
            each = instance_attribute(each, "__wrapped__")
        while each is not MISSING and each is not function and not any(each is f for f in found):
            if type(each) is _LRU:
                found.append(each)
            each = instance_attribute(each, "__wrapped__")
    return found


def notes_on(thing: object, function: FunctionType, caches: list[Any]) -> Iterator[str]:
    """What happens to results that are cached, in words."""
    if caches:
        yield "its lru_cache is cleared when the patch is put in place and when it is undone"
    for each in (thing, named_in_module(function)):
        if type(each) is functools.cached_property:
            name = each.attrname or function.__name__
            yield (
                f"what instances cache while it is patched stays in their __dict__, under {name!r}"
            )
            return


def clear(caches: list[Any]) -> None:
    """Forget what is cached."""
    for cache in caches:
        _LRU.cache_clear(cache)


def named_in_module(function: FunctionType) -> object:
    """What the function's own qualified name finds in its module; no code of anybody runs."""
    path = function.__qualname__.split(".") if type(function.__qualname__) is str else []
    found: Any = MISSING
    for number, name in enumerate(path):
        if not number:
            found = dict.get(function.__globals__, name, MISSING)
        else:
            found = class_attribute(found, name) if is_a(found, type) else MISSING
    return found
