def literals(a, b):
    return [a, b], (a,), (a, b), {a, b}, {a: b, 1: 2}, {"x": a, "y": b}, [], (), {}


def constants():
    return 1, -1, 300, 2.5, 1j, "text", b"bytes", None, True, ..., (1, (2, "x")), 10**30


def lists():
    return [1, 2, 3], {1, 2, 3}, {"a": 1, "b": 2, "c": 3}, x in {1, 2, 3}, [*"ab", "cd"]


def unpacked(a, b):
    return [*a, b], (*a, *b), {*a, b}, {**a, "k": b, **b}


def long(a):
    return [a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a]


def long_set(a):
    return {a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a}


def long_dict(a):
    return {
        a: 0, 1: a, 2: a, 3: a, 4: a, 5: a, 6: a, 7: a, 8: a, 9: a, 10: a, 11: a, 12: a, 13: a, 14: a,
        15: a, 16: a, 17: a, 18: a, 19: a, 20: a,
    }
