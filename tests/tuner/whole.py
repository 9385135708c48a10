"""The whole functions of the evidence table: before, and after the change made by hand."""

import math
from abc import ABC
from collections.abc import Mapping
from dataclasses import dataclass


def classic(values):
    out = []
    for value in values:
        out.append(math.sqrt(abs(value)) + len(out))
    return out


def classic_hoisted(values):
    out = []
    sqrt, absolute, length, append = math.sqrt, abs, len, out.append
    for value in values:
        append(sqrt(absolute(value)) + length(out))
    return out


@dataclass
class Defaults:
    x: int = 0
    y: int = 0
    z: int = 0


@dataclass
class NoDefaults:
    x: int
    y: int
    z: int


def fields_with_defaults(n):
    return fields_a(Defaults(1, 2, 3), n)


def fields_without_defaults(n):
    return fields_b(NoDefaults(1, 2, 3), n)


def fields_a(point, n):
    total = 0
    for _ in range(n):
        total += point.x + point.y + point.z
        point.x = point.y
        point.z = point.x
    return total


def fields_b(point, n):
    total = 0
    for _ in range(n):
        total += point.x + point.y + point.z
        point.x = point.y
        point.z = point.x
    return total


class Counter:
    n = 0


cell = [0]


def class_counter(n):
    for _ in range(n):
        Counter.n += 1


def list_counter(n):
    for _ in range(n):
        cell[0] += 1


def kinds(items):
    found = 0
    for item in items:
        found += isinstance(item, Mapping)
    return found


def kinds_concrete(items):
    found = 0
    for item in items:
        found += isinstance(item, dict)
    return found


class Point:
    def __init__(self, x, y):
        self.x = x
        self.y = y


def keyworded(n):
    for number in range(n):
        Point(x=number, y=number)


def positional(n):
    for number in range(n):
        Point(number, number)


class Shape(ABC):
    SIDES = 4


def words(texts):
    found = 0
    for text in texts:
        found += text in ("if", "else", "for", "while", "def", "class", "with", "try", "from")
    return found
