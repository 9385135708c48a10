# since 3.10
def shapes(v):
    match v:
        case 0 | 1 | "a":
            return 1
        case [x, 2, *rest] if x:
            return rest
        case [a, b, c, d, e, 3]:
            return a, b, c, d, e
        case [a, b]:
            return a, b
        case {"k": y, "l": 1, **others}:
            return y, others
        case {"only": z}:
            return z
        case Point(x=0, y=q):
            return q
        case str(text) | Other(text):
            return text
        case None | True:
            return v
        case Color.RED as color:
            return color
        case _:
            return 2
