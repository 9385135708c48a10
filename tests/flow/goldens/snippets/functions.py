def defaults(a, b=1, /, c=2, *args, d, e=3, **kwargs):
    return a, b, c, args, d, e, kwargs


def annotated(a: int, *b: str) -> None:
    local: int = a
    return local


def closure(a):
    b = 0

    def inner(c=a):
        nonlocal b
        b += a
        return lambda: b + c

    def forget():
        nonlocal b
        del b

    return inner, forget


@decorate
def decorated():
    """Documented."""


def names():
    global g
    g = 1
    g += undefined
    del g
    return locals


def unbound(a):
    if a:
        x = 1
    print(x)
    del x
    return x


swap = lambda a, b, c: (b, a, c)


def rotated(a, b, c, d):
    a, b = b, a
    a, b, c = c, a, b
    a, b, c, d = d, c, b, a
    a = b = c.x = d
    return a
