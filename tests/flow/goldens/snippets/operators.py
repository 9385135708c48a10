def arithmetic(a, b):
    return a + b, a - b, a * b, a / b, a // b, a % b, a**b, a @ b, -a, +a, ~a, not a


def bits(a, b):
    return a << b, a >> b, a & b, a ^ b, a | b, (a + b) * 2, -(a**b), (-a) ** b


def in_place(a, b):
    a += b
    a -= b
    a *= b
    a /= b
    a //= b
    a %= b
    a **= b
    a @= b
    a <<= b
    a >>= b
    a &= b
    a ^= b
    a |= b
    return a


def comparisons(a, b):
    return a < b, a <= b, a == b, a != b, a > b, a >= b, a is b, a is not b, a in b, a not in b


def items(a, b):
    a[b] = a[0]
    a[1:2] = a[b:]
    a[b:] = a
    a[b::2] = a[:b:2]
    a.x[b] += 1
    del a[b], a[1:b]
    return a[1:2:b], a[-1], a["k", b]
