"""The functions that tests patch; their lines count."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any


def outer(a: int, b: int) -> Callable[[int], int]:
    x = a + b
    y = 42

    def inner(z: int) -> int:
        return x * z + y

    return inner


TIMEOUT = 30


def waiting(seconds: int = 60, *, tries: int = 3) -> tuple[int, int, int]:
    "Wait."
    return seconds, tries, TIMEOUT


def counting() -> tuple[Callable[[], int], Callable[[], int]]:
    count = 0

    def step() -> int:
        nonlocal count
        count += 1
        return count

    def now() -> int:
        return count

    return step, now


def stepping(n: int) -> Iterator[Any]:
    for i in range(n):
        yield (i, "step")


def factorial(n: int) -> int:
    return 1 if n < 2 else n * factorial(n - 1)
