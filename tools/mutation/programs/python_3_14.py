"""What came with 3.13 and 3.14: defaults of type parameters, templates, lazy annotations."""


@runs("1", "Odd()")
def templates(a):
    x = t"a{a}b{a!r:>{3}}{a=}"
    return x, [i.value for i in x.interpolations], t""


@runs("int")
def type_defaults(a):
    def f[T = a, *Ts = (a,), **P = [a]](x: T = 1):
        return T, x

    class C[T: a = a]:
        pass

    return f(), C, f.__type_params__[0].__default__


@runs("int")
def lazily_annotated(a):
    def f(x: a, y: missing = 1) -> [a]:
        return x

    class C:
        z: a
        if a:
            w: missing

    return f.__annotate__(2) if a is None else f, C


@runs("[1, 2]")
def borrowed(a):
    b = a
    c = [b, a, b]
    a = b = (a, c)
    b, a = a, b
    return a, b, c


@runs("1")
def finally_loops(a):
    for i in range(3):
        try:
            a = i, a
        finally:
            if i == 1:
                a = None
    return a, all(x for x in (1, a)), any(x for x in (a, 0)), tuple(x for x in (a, a))
