def plain(f, a, b):
    return f(), f(a), f(a, b=1), f(a, k=b, l=2), print(a, sep=b)


def methods(o, a):
    o.m(a).n(k=a)
    return o.m, o.a.b.c(1, 2)


def stars(f, a, k):
    return f(*a), f(1, *a, 2), f(**k), f(*a, x=1, **k), f(1, **k, **{"y": 2}), o.m(*a, **k)


class Child(list):
    def __init__(self, *a):
        super().__init__(*a)
        super().x
        return super(Child, self).append(1)
