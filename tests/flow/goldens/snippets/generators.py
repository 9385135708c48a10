def simple(a):
    b = yield a
    yield
    yield b, (yield)


def delegated(a):
    x = yield from a
    return x


def guarded(a):
    try:
        yield a
    except GeneratorExit:
        pass
    finally:
        yield 2


lazy = (x for x in y)
