"""The whole functions that `tune_examples.py` measures: as written, and after the change.

They run on CPython 3.8, too.
"""

from __future__ import annotations

import math
import types
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any


def classic(values: list[int]) -> list[float]:
    """Four names of other scopes in a loop."""
    out: list[float] = []
    for value in values:
        out.append(math.sqrt(abs(value)) + len(out))
    return out


def classic_hoisted(values: list[int]) -> list[float]:
    out: list[float] = []
    sqrt, absolute, length, append = math.sqrt, abs, len, out.append
    for value in values:
        append(sqrt(absolute(value)) + length(out))
    return out


@dataclass
class Defaults:
    """Each field has a default, which is an attribute of the class."""

    x: int = 0
    y: int = 0
    z: int = 0

    def turn(self, n: int) -> int:
        total = 0
        for _ in range(n):
            total += self.x + self.y + self.z
            self.x = self.y
            self.z = self.x
        return total


@dataclass
class NoDefaults:
    x: int
    y: int
    z: int

    def turn(self, n: int) -> int:
        total = 0
        for _ in range(n):
            total += self.x + self.y + self.z
            self.x = self.y
            self.z = self.x
        return total


def defaults(n: int) -> int:
    return Defaults(1, 2, 3).turn(n)


def no_defaults(n: int) -> int:
    return NoDefaults(1, 2, 3).turn(n)


class Counter:
    """Counts in the class itself."""

    n = 0


cell = [0]


def class_counter(values: list[int]) -> None:
    for _ in values:
        Counter.n += 1


def list_counter(values: list[int]) -> None:
    for _ in values:
        cell[0] += 1


def _missing(name: str) -> Any:
    raise AttributeError(name)


settings: Any = types.ModuleType("settings")
settings.scale, settings.shift = 3, 7
settings.__getattr__ = _missing


def lazy_module(values: list[int]) -> int:
    total = 0
    for value in values:
        total += value * settings.scale + settings.shift
    return total


def lazy_module_hoisted(values: list[int]) -> int:
    total = 0
    scale, shift = settings.scale, settings.shift
    for value in values:
        total += value * scale + shift
    return total


class Point:
    def __init__(self, x: int, y: int) -> None:
        self.x = x
        self.y = y


def keywords(n: int) -> None:
    for number in range(n):
        Point(x=number, y=number)


def positions(n: int) -> None:
    for number in range(n):
        Point(number, number)


def abstract(items: list[object]) -> int:
    found = 0
    for item in items:
        found += isinstance(item, Mapping)
    return found


def concrete(items: list[object]) -> int:
    found = 0
    for item in items:
        found += isinstance(item, dict)
    return found


class Colour(Enum):
    RED = 1
    GREEN = 2
    BLUE = 3


RED, GREEN = Colour.RED, Colour.GREEN
colours = [*Colour] * 30


def members(values: list[Colour]) -> int:
    found = 0
    for value in values:
        if value is Colour.RED or value is Colour.GREEN:
            found += 1
    return found


def constants(values: list[Colour]) -> int:
    found = 0
    for value in values:
        if value is RED or value is GREEN:
            found += 1
    return found
