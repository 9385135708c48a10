def simple(xs):
    return [x for x in xs], {x for x in xs}, {x: x for x in xs}, (x for x in xs)


def filtered(xs, y):
    return [x + y for x in xs if x if not y]


def nested(xs):
    return [[a * b for b in a] for a in xs], [b for a in xs for b in a]


def called(f, xs):
    return f(x.y for x in xs), f([x if x else 0 for x in xs], 1)


def captured(xs):
    return [lambda: x for x in xs]


module_level = [n for n in range(3)]


class Body:
    inner = [n for n in range(3)]
