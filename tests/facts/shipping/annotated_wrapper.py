"""Instances whose attributes name functions by their owners: `A.method.__annotate__` (3.14)."""

import functools


class Wrapper:
    def __init__(self, function):
        self.function = function
        functools.update_wrapper(self, function)


def plain(x: str) -> str:
    return x


class A:
    w: int

    def method(self, k: "A") -> int:
        return 1


of_function, of_method = Wrapper(plain), Wrapper(A.method)
