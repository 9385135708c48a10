"""A clock that only the functions beside it move, and functions that take so and so long by it.

It runs on CPython 3.8, too.
"""

import asyncio
from contextlib import suppress
from functools import lru_cache, wraps

_now = 0.0


def now():
    return _now


def tick(microseconds):
    global _now
    _now += microseconds * 1e-6


class Word(str):
    """Takes 1 us to be compared, and none to be hashed."""

    def __eq__(self, other):
        tick(1)
        return str.__eq__(self, other)

    __hash__ = str.__hash__


WORDS = [Word("h"), Word("none of them")]


def decorated(function):
    @wraps(function)
    def call(*args):
        return function(*args)

    return call


def search(words):
    tick(5)
    found = 0
    for word in words:
        found += word in ("a", "b", "c", "d", "e", "f", "g", "h", "i")
    return found


class Shelf:
    __size = 3

    @staticmethod
    def search(words):
        tick(5)
        return [w in ("a", "b", "c", "d", "e", "f", "g", "h", "i") for w in words]

    @decorated
    def private(self, words):
        """Its code has a mangled name, and no cell of its own."""
        tick(5)
        found = self.__size
        for word in words:
            found += word in ("a", "b", "c", "d", "e", "f", "g", "h", "i")
        return found


class Deeper(Shelf):
    def private(self, words):
        tick(5)
        found = super().private(words)
        return found + (words[1] in ("a", "b", "c", "d", "e", "f", "g", "h", "i"))


def quick(values):
    tick(10)
    return len(values)


def slow(values):
    tick(30)
    return len(values)


def wrong(values):
    tick(3)
    return len(values) + 1


def unsteady(values, _seen=[0]):  # noqa: B006
    tick(10)
    _seen[0] += 1
    return _seen[0]


def unhashable(values):
    tick(10)
    return [value in ("a", "b", "c", "d", "e", "f", "g", "h", "i") for value in values]


def twice(words):
    tick(5)
    found = 0
    for word in words:
        import string

        found += word in ("a", "b", "c", "d", "e", "f", "g", "h", "i")
        with suppress(KeyError):
            found += len(string.digits)
    return found


def tidy(values):
    tick(10)
    return sorted(values)


def broken(values):
    tick(1)
    raise ValueError(f"no {values}")


def leaves():
    raise SystemExit(3)


def loud(values):
    tick(10)
    print("loud " * 1000)
    return values


def series(n):
    for number in range(n):
        tick(5)
        yield number


async def task(n):
    tick(n)
    await asyncio.sleep(0)
    return n


@lru_cache(None)
def cached(n):
    tick(n)
    return n


unnamed = lambda word: tick(5) or word in ("a", "b", "c", "d", "e", "f", "g", "h", "i")  # noqa: E731

exec("def made(n):\n    tick(n)\n    return n")


if __name__ == "__main__":
    import ticking

    for number in range(7):
        assert ticking.search(ticking.WORDS * number) == number
        assert ticking.quick([]) == 0
        assert ticking.unhashable([[]]) == [False]
