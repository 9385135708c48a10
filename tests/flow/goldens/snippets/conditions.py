def short(a, b, c):
    x = a and b or c
    y = (a or b) and c
    z = a if b else c
    return x, y, z, not (a and b), a < b < c, a or (b and c)


def tests(a, b, c):
    if a and not b or c is None:
        return 1
    if a is not None and b:
        return 2
    if not (a or b):
        return 3
    assert a, b
    return 4 if a and (b or c) else 5 if c else 6


def walrus(a):
    if (n := len(a)) > 10 and (m := a[n]) is None:
        return n, m


def none(a):
    while a is None:
        a = a()
    while a is not None:
        a = a()
    return a


def chained(a, b, c, f):
    return f(a < b <= c, a or b, x=a and c)
