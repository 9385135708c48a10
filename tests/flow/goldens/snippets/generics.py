# since 3.12
type Alias[T] = list[T]
type Plain = int


def generic[T: int, *Ts, **P](a: T, b=1, *, c=2) -> T:
    return a


class Box[T: (int, str)](Base):
    field: T

    def method[U](self, u: U) -> T:
        return u


def scope(a):
    class Inner:
        a = a
        x = lambda: a

        def m[T](self, t: T = a): ...

        type L = a

    return Inner
