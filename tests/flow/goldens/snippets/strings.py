def formatted(a, b):
    return f"{a}", f"x {a!r} y", f"{a:>10} {b!s:{a}} {{}}", f"{a=}", f"{a!a}", "plain %s" % a


def joined(a):
    return "it's " f"{a + 1} and {a['k']}"
