"""Functions with exceptions, managers, generators, coroutines, closures and classes."""


@runs("1", "'a'", "None", "[]")
def handled(a):
    try:
        return a + 1
    except TypeError:
        return "type"
    except (ValueError, KeyError) as e:
        return e


@runs("[1, 0, 'a']", "range(3)")
def handled_in_loop(a):
    out = []
    for x in a:
        try:
            out.append(1 / x)
        except ZeroDivisionError as e:
            out.append(e)
            continue
        except TypeError:
            break
        else:
            out.append("else")
        finally:
            out.append("end")
    return out


@runs("3", "0")
def handled_twice(n):
    out = []
    for i in range(n):
        try:
            try:
                raise KeyError(i)
            except KeyError as e:
                raise ValueError
        except ValueError:
            out.append(i)
    return out


@runs("1", "0", "None")
def finished(a):
    try:
        if a:
            return 1 / a
        raise ValueError(a)
    finally:
        peek()


@runs("True", "False")
def chained_raise(a):
    try:
        if a:
            raise KeyError from ValueError("cause")
        raise ValueError
    except KeyError as e:
        raise RuntimeError("again") from e


@runs("ExceptionGroup('g', [ValueError(1), TypeError(2)])", "ValueError(3)", "KeyError(4)")
def groups(error):
    out = []
    try:
        raise error
    except* ValueError as e:
        out.append(e)
    except* (TypeError, OSError):
        out.append("type")
    return out


@runs("ExceptionGroup('g', [ValueError(1)])", "TypeError(1)")
def groups_raising(error):
    try:
        raise error
    except* ValueError:
        raise KeyError("new")
    except* TypeError:
        raise
    finally:
        peek()


@runs("Manager()", "Manager(True)", "None")
def managed(m):
    with m as x:
        x.append(1)
        raise ValueError
    return x


@runs("Manager(), Manager(True)", "Manager(True), Odd()")
def managed_twice(m, n):
    for i in range(3):
        with m as x, n:
            if i == 1:
                continue
            if i == 2:
                return x, i
            try:
                raise KeyError(i)
            except KeyError:
                x.append(i)


@runs("")
def state():
    try:
        raise ValueError("a")
    except ValueError:
        first = current()
        try:
            raise KeyError("b")
        except KeyError:
            second = current()
        third = current()
    return first, second, third, current()


@runs("3", "[1, 2]")
def generator(n):
    for i in range(n) if isinstance(n, int) else n:
        got = yield i
        if got:
            yield got, i
    return n


@runs("[1, 2]", "'ab'")
def generator_handling(a):
    for x in a:
        try:
            y = yield x
        except ValueError as e:
            yield e
        except GeneratorExit:
            peek()
            raise
        finally:
            a = y = None


@runs("[1, 2]", "'ab'", "generator(2)", "None")
def delegating(a):
    r = yield from a
    try:
        r = yield from generator(2)
    except ValueError:
        yield "caught"
    return r


@runs("2")
def generator_managed(n):
    with Manager() as m:
        for i in range(n):
            m.append((yield i))
        yield m


@runs("Later(2)", "Later(0)", "None")
async def awaiting(a):
    x = await a
    try:
        y = await Later(1)
    except ValueError as e:
        return e
    return x, y


@runs("2")
async def async_managed(n):
    async with AsyncManager(n) as m:
        m.append(await Later(1))
        if n > 5:
            raise ValueError
    return m


@runs("2", "9")
async def async_loop(n):
    out = []
    async for x in ticking(n):
        out.append(x)
        if x == 7:
            break
    else:
        out.append("else")
    return out


@runs("3")
async def async_generator(n):
    for i in range(n):
        got = yield i
        await Later(1)
        try:
            yield got
        except ValueError:
            yield "caught"


@runs("2")
async def async_comprehensions(n):
    a = [x async for x in ticking(n) if x]
    b = {x: await Later(1) for x in a}
    c = (x async for x in ticking(n))
    return a, b, [y async for y in c]


@runs("1", "'a'")
def closure(a):
    b = 2

    def inner(c, d=b):
        return a, b, c, d

    b = 3
    return inner(1), inner


@runs("1")
def counter(start):
    def step(by=1, *, twice=False):
        nonlocal start
        start += by
        if twice:
            del by
        return start

    return step, step(2), step(twice=True)


@runs("1", "None")
def cells_deleted(a):
    def inner():
        return a

    if a:
        del a
    return inner()


@runs("1, 2")
def deep(a, b):
    def middle(c):
        def inner(d):
            nonlocal b
            b = d
            return a, b, c

        return inner

    return middle(3)(4), middle


@runs("[1, 2]")
def closures_in_loop(a):
    out = []
    for x in a:
        out.append(lambda y=1: (x, y, a))
    return [f() for f in out], out


@runs("3")
def recursive(n):
    def go(k):
        return 1 if k < 1 else k * go(k - 1)

    return go(n)


@runs("1")
def with_class(a):
    class Base:
        x: int = a

        def method(self):
            return self.x, __class__

    class Derived(Base):
        def method(self):
            return super().method(), super(Derived, self).x

        y = [a for _ in range(2)]
        z = a

    return Derived().method(), Derived.y


@runs("1")
def with_metaclass(a):
    class Meta(type):
        def __new__(cls, name, bases, space, **options):
            return super().__new__(cls, name, bases, space)

    class Made(metaclass=Meta, option=a):
        def __init__(self, value):
            self.value = value

        @property
        def shown(self):
            return f"{self.value}"

        @staticmethod
        def static(x):
            return x

    return [Made(i).shown for i in range(3)], Made.static(1)


@runs("1", "[]")
def decorated(a):
    def wrap(f):
        def wrapped(*args, **kwargs):
            return f(*args, **kwargs), a

        return wrapped

    @wrap
    def target(x, y=1):
        return x, y

    return target(1), target(1, y=2)


@runs("2")
def attributes_of_functions(n):
    def f(a: int, b: str = "b", *args: n, c: n = 1, d=2, **kw: "x") -> None:
        return a, b, c, d

    return f(1), f.__defaults__, f.__kwdefaults__, f


@runs("3")
def generator_closure(n):
    def inner():
        for i in range(n):
            yield i, n

    k = sum(x for x, _ in inner())
    return list(inner()), (y * k for y in range(n)), inner


@runs("Later(1)")
def async_closure(a):
    async def inner(b):
        async with AsyncManager(1):
            return await a, b

    async def produce():
        yield a
        yield await inner(1)

    return inner(1), produce()


@runs("2")
def big(n):
    a0 = a1 = a2 = a3 = a4 = a5 = a6 = a7 = a8 = a9 = n
    b0 = b1 = b2 = b3 = b4 = b5 = b6 = b7 = b8 = b9 = (a0, a9)
    c0 = [a1, a2, a3, a4, a5, a6, a7, a8, b0, b1, b2, b3]
    c1 = {"a": b4, "b": b5, "c": b6, "d": b7, "e": b8, "f": b9}
    return c0, c1, [(c0, x) for x in (a1, b1)]


@runs("[1, 2, 3]")
def handled_comprehension(a):
    try:
        return [1 / (x - 2) for x in a], lost
    except (ZeroDivisionError, NameError):
        return [lambda: x for x in a]


@runs("1")
def everything(a):
    try:
        with Manager(True) as m:
            for i in range(3):
                try:
                    m.append(1 // (i - a))
                except ZeroDivisionError as e:
                    m.append(str(e))
                    if i:
                        raise
    except Exception as e:
        return m, e, [i for i in range(2)]
    finally:
        a = None
    return m
