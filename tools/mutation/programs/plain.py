"""Small functions without exceptions, generators or closures, for every version.

Run with the names of `mutation/world.py`. `runs` says with which arguments each is called.
"""


@runs("1, 2", "'a', 'b'", "[1], [2]", "Odd(), Odd()")
def arithmetic(a, b):
    c = a + b
    d = a * 3 if c else b
    return c, d, a is b, a is not b


@runs("7, 3", "2.5, 2", "Odd(), 2")
def operators(a, b):
    c = (a - b) / (b or 1)
    c += a // b
    c -= a % b
    c *= 2
    c **= 2
    return -c, +a, not b


@runs("7, 3", "{1, 2}, {2}", "Odd(), Odd()")
def bits(a, b):
    c = a | b
    c &= a
    c ^= b
    return c, a & b, a ^ b


@runs("5", "True")
def shifts(a):
    a <<= 2
    return ~a, a >> 1, a << 3


@runs("1, 5, 9", "'a', 'b', 'c'", "1, 'a', None")
def chained(a, b, c):
    return a < b <= c != a > b


@runs("1, [1, 2]", "'a', 'abc'", "Odd(), {}")
def contains(a, b):
    if a in b:
        return a not in b
    return a == b or a >= 3


@runs("None, 1", "1, None")
def nones(a, b):
    if a is None:
        return b
    if b is not None:
        return a
    return a is b


@runs("[1, 2, 3, 4]", "'abcdef'", "(1, 2)")
def slices(a):
    b = a[1:]
    c = a[:-1]
    return a[::2], b[0], c[-1], a[1:3]


@runs("[1, 2, 3, 4]", "Odd()")
def slots(a):
    a[0] = 5
    a[1:2] = [7, 8]
    del a[0]
    a[0] += 1
    del a[:1]
    return a


@runs("{}, 'k'", "{'k': 1}, 'k'", "Odd(), 1")
def items(d, k):
    d[k] = 1
    d[k] += 2
    x = d[k]
    del d[k]
    return x, d


@runs("1, 2, 3", "[], 'x', None")
def displays(a, b, c):
    return [a, b], (a, b, c), {a: b, "k": c}, {"x": a, "y": b, "z": c}, (1, 2, 3), [1, 2, 3, 4]


@runs("1, 2", "'a', 'b'")
def sets(a, b):
    s = {a, b}
    return s, {*s, a}, {1, 2, 3, 4}


@runs("[1, 2], {'a': 1}", "(), {}", "'xy', {'b': 2}")
def unpacking(a, d):
    return [*a, 1, *a], (*a, 2), {**d, "k": 1, **d}


@runs("[1, 2]", "'ab'", "(1, 2)", "[1]")
def unpack_two(a):
    x, y = a
    y, x = x, y
    return x, y


@runs("[1, 2, 3, 4]", "'abc'", "[1, (2, 3)]")
def unpack_star(a):
    x, *y, z = a
    *p, q = y or [1]
    return x, y, z, p, q


@runs("1, 2, 3, 4", "'a', 'b', 'c', 'd'")
def rotate(a, b, c, d):
    a, b, c = c, a, b
    d, c, b, a = a, b, c, d
    return a, b, c, d


@runs("'a', 3.5", "Odd(), 7", "None, 1")
def formatted(a, b):
    return f"{a}-{b!r:>10}-{a!s}-{b!a}-{b:{3}}" f"{a=}"


@runs("[3, 1, 2]", "'cab'", "{2, 1}")
def methods(a):
    b = sorted(a, key=len if a is None else None, reverse=True)
    b.append(1)
    b.insert(0, 7)
    return b.index(1), b.count(7), len(b)


@runs("1", "'a'")
def keywords(a):
    return dict(a=a, b=2), int("12", base=8), max(1, 2, key=abs), print_to(a, sep="-", end="")


@runs("(1, 2), {'key': None}", "[3, 4], {}", "(), {'default': 1}")
def spread(a, k):
    return max(*a, 1, **k), dict(**k), list(range(*a)), dict(x=1, **k)


@runs("1, 2", "1, 2, 3, 4", "1")
def variadic(a, b=2, *args, c=3, **kwargs):
    kwargs["k"] = args
    return a, b, args, c, kwargs


@runs("1, 2", "'a', None")
def positional(a, /, b, *, c=1):
    return a, b, c


@runs("3", "[1, 2, 3]", "'abc'")
def walrus(a):
    if (n := count(a)) > 2 and (m := n + 1):
        return n, m
    return n


@runs("True, 1, 2", "0, None, []")
def conditions(a, b, c):
    x = a and b or c
    y = b if not a else c
    return x, y, not (a or b)


@runs("[1, 2, 3, 4]", "range(5)", "'ab'", "Odd()")
def looping(a):
    total = 0
    for x in a:
        if x == 3:
            continue
        if x == 9:
            break
        total += 1
    else:
        total = -total
    return total


@runs("5", "0", "-1")
def counting(n):
    i = 0
    while i < n:
        i += 1
        if i % 4 == 0:
            break
    else:
        return "end"
    return i


@runs("[[1, 2], [3]]", "['ab', 'c']", "{}")
def nested_loops(a):
    out = []
    for row in a:
        for x in row:
            if x:
                out.append((x, row))
                break
        else:
            continue
        out += [1]
    return out


@runs("[(1, 2), (3, 4)]", "{'ab': 1}")
def pairs(a):
    s = 0
    for x, y in a:
        s = x
        del y
    return s


@runs("Odd()", "Plain()")
def attributes(a):
    a.x = 1
    a.x += 1
    y = a.x
    del a.x
    return y, a.method(), a.other.method(1)


@runs("1")
def globals_read(a):
    return len, COUNTER, max(a, COUNTER), undefined_name if a is None else a


@runs("1", "'a'")
def globals_written(a):
    global STATE
    STATE = a
    STATE = STATE, 1
    del STATE
    return a


@runs("1", "0")
def deleted(a):
    b = a
    if a:
        del b
    return b


@runs("1", "None")
def unbound(a):
    if a:
        c = 1
    return c


@runs("1, 2")
def local_names(a, b):
    c = a
    before = locals()
    peek()
    c = b
    return before, locals(), dir()


@runs("")
def imports():
    import math
    import collections.abc as abc
    from operator import add, mul as times

    return math.pi, abc.Sized, add(1, 2), times(2, 3)


@runs("1", "0")
def asserted(a):
    assert a, "message"
    assert a is not None
    return a


@runs("[3, 2, 1]", "'cab'")
def sorted_by(a):
    return sorted(a, key=lambda x: -x), list(map(lambda x, y=1: (x, y), a))


@runs("1", "'a'", "[1]")
def match_values(a):
    match a:
        case 1 | 2:
            return "number"
        case "a":
            return "text"
        case None | True:
            return "constant"
        case _ if a:
            return "guarded"
    return a


@runs("[1, 2, 3]", "(1,)", "[]", "'no'", "[1, [2, 3]]")
def match_sequences(a):
    match a:
        case []:
            return 0
        case [x]:
            return x
        case [x, [y, z]]:
            return x, y, z
        case [x, *rest, y]:
            return x, rest, y
    return None


@runs("{'k': 1}", "{'k': 1, 'j': 2}", "{}", "[]")
def match_mappings(a):
    match a:
        case {"k": 1, "j": x}:
            return x
        case {"k": value, **rest}:
            return value, rest
        case {}:
            return "mapping"
    return None


@runs("Point(1, 2)", "Point(0, 3)", "5", "'s'")
def match_classes(a):
    match a:
        case Point(0, y=v):
            return v
        case Point(x, y) as p:
            return x, y, p
        case int(n) | str(n):
            return n
    return None


@runs("{'a': [1, Point(1, 2)]}", "[]")
def match_nested(a):
    match a:
        case {"a": [first, Point(x=1) as p]} if first:
            return first, p
        case [*_]:
            return "list"


@runs("1, 2", "'x', None")
def many_constants(a, b):
    return (
        a, b, 1000, 1001, 1002, 1003, 1004, "s1", "s2", "s3", b"b1", 1.5, 2.5, 1j, ..., None, True,
    )


@runs("1")
def annotated(a: int) -> "int":
    x: int = a
    y: list[int]
    return x


@runs("'a b c'", "b'abc'", "3")
def attempts(text):
    parts = getattr(text, "split", lambda: [text])()
    return [p for p in parts], {p: 1 for p in parts}, {p for p in parts}


@runs("[1, 2, 3]", "range(3)", "None")
def comprehensions(a):
    b = [x for x in a if x != 2]
    c = [[x + y for y in b] for x in b]
    d = {x: y for x, y in zip(a, c)}
    return b, c, d


@runs("[1, 2, 3]", "'abc'", "Odd()")
def generated(a):
    s = list(x for x in a)
    return s, any(x == 3 for x in a), tuple((x, y) for x in a for y in s if x)


@runs("10", "40")
def hot(n):
    s = 0
    t = []
    for i in range(n):
        s += i * 2
        t.append(s)
        if i % 7 == 3:
            s -= len(t)
    return s, t


@runs("8", "20")
def hot_mixed(n):
    p = Point(1, 2)
    d = {}
    for i in range(n):
        d[i] = p.x + i
        x, y = i, p.y
        p.x = x if i > 2 else y
        s = "%s" % i + "a"
    return d, s


@runs("12")
def hot_calls(n):
    out = []
    for i in range(n):
        out.append(count((i, i)))
        str(i), len(out), type(i), isinstance(i, int), tuple(out)
        out[0] == i, "ab"[i % 2], (1, 2)[i % 2]
    return out
