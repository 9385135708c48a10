"""Functions whose code has branches, loops and handlers, and arguments to run them with."""


def branches(x, y=2):
    if x > y:
        return "more"
    if x == y and x is not None:
        return "same"
    return "less" if y else None


def loops(items, most):
    found = []
    for at, item in enumerate(items):
        if item % 2:
            continue
        while item > most:
            item //= 2
        if at > 5:
            break
        found.append(item)
    else:
        found.append(-1)
    return found


def handlers(table, key):
    try:
        value = table[key]
    except KeyError as error:
        return f"no {error.args[0]}"
    except (TypeError, IndexError):
        value = None
    else:
        value += 1
    finally:
        table = None
    return value


def managed(manager, x):
    with manager as value:
        try:
            return 10 // x + value
        except ZeroDivisionError:
            return value


def chained(a, b, c):
    return a < b < c or (a, b) == (b, c) or not (a and b)


def comprehended(rows):
    return [x * y for x, y in rows if x], {x: y + 1 for x, y in rows}, {y for _, y in rows}


def nested(limit):
    total = 0
    for x in range(limit):
        for y in range(x):
            if (x + y) % 3 == 0:
                total += x * y
            elif y > 3:
                break
        else:
            total -= 1
    return total


def generated(count):
    at = 0
    while True:
        if at >= count:
            return at
        got = yield at
        at += got or 1


def matched(thing):
    match thing:
        case [first, *rest] if first:
            return first, rest
        case {"key": value}:
            return value
        case int() | str():
            return "plain"
        case _:
            return None


class Manager:
    def __enter__(self):
        return 3

    def __exit__(self, *error):
        return False


FUNCTIONS = (branches, loops, handlers, managed, chained, comprehended, nested, generated, matched)

ARGUMENTS = {
    "branches": [(3,), (2,), (1,), (1, 0), (None, None)],
    "loops": [([1, 2, 3, 8], 3), ([], 1), ([2, 4, 6, 8, 10, 12, 14, 16], 5)],
    "handlers": [({"a": 1}, "a"), ({}, "b"), ([1], 5), (None, 1)],
    "managed": [(Manager(), 5), (Manager(), 0)],
    "chained": [(1, 2, 3), (3, 2, 1), (0, 0, 0), (1, 1, 1)],
    "comprehended": [([(1, 2), (0, 3)],), ([],)],
    "nested": [(0,), (4,), (9,)],
    "generated": [(0,), (3,)],
    "matched": [([1, 2],), ([0],), ({"key": 5},), ({},), (7,), ("x",), (2.5,)],
}
