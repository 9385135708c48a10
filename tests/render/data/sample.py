# ruff: noqa
# fmt: off
"""Compiled once by 3.8, 3.12 and 3.13: the goldens show what those made of it."""


def outer(a, b):
    x = a + b
    y = 42

    def inner(z):
        return x * z + y

    return inner


def choose(a, b, c):
    if a and b or c:
        return 1
    return 2


def load(path, items=(), /, *rest, limit: int = 10, **more):
    total = 0
    try:
        with open(path) as file:
            for line in file:
                if len(line) > limit:
                    continue
                total += int(line)
    except OSError as error:
        raise RuntimeError("no") from error
    return [item * total for item in items]


class Order:
    tax = 0.2

    @property
    def total(self):
        return sum(item.price for item in self.items) * (1 + self.tax)

    async def stream(self, source):
        async with self.lock:
            async for item in source:
                yield item


def wide(日本, /):
    first = "[bold]not markup[/bold]" + 日本; second = (first, 1e309, -0.0, 10**30, b"\x00", ...)
    return second, lambda: "a rather long text that no page of a hundred columns can show whole, and so is cut"
