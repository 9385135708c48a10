def plain(m):
    with m:
        work()


def named(m, n):
    with m() as a, n(a) as b.c:
        return a


def looped(xs):
    for x in xs:
        with x as y:
            if y:
                continue
            break
    with x:
        raise y
