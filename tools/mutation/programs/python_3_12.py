"""What came with 3.12: type parameters and `type` statements."""


@runs("1", "'a'")
def generic(a):
    def first[T](x: T, y=a, *, z: T = 1) -> T:
        return x, y, z

    def bounded[T: int, *Ts, **P](x: T):
        return T, Ts, P

    return first(1), first.__type_params__, bounded(2), first


@runs("1")
def generic_class(a):
    class Box[T, U: (int, str)]:
        item: T

        def __init__(self, item: T):
            self.item = item

        def get[V](self, other: V) -> tuple[T, V]:
            return self.item, other, a

    return Box(a).get(2), Box.__type_params__


@runs("int")
def aliases(a):
    type Pair[T] = tuple[T, a]
    type Plain = list[a]
    return Pair.__value__, Plain.__value__, Pair.__type_params__


@runs("[1, 2, 3]", "None")
def inlined(a):
    x = 5
    b = [x for x in a]
    c = [(lambda: x)() for x in a]
    d = {x: [y for y in a] for x in b}
    return x, b, c, d, [x for x in a if [locals() for y in a]]


@runs("[1, 2]", "'ab'")
def inlined_unbound(a):
    out = [z for z in a]
    try:
        return out, z
    except NameError as e:
        z = [z for z in a]
    return z, [lambda: (z, y) for y in a]


@runs("1")
def class_scopes(a):
    class C:
        a = a if isinstance(a, str) else [a]
        b = [a for a in range(2)]
        c = [x for x in a]

        def f[T](self):
            return a, T

    return C.b, C.c, C().f()


@runs("1")
def super_attributes(a):
    class A:
        x = 1

        def m(self, *args):
            return args

    class B(A):
        def m(self, v):
            s = super().m
            return s(v), super().m(v, a), super().x, super().m(*[v])

    return [B().m(i) for i in range(12)]
