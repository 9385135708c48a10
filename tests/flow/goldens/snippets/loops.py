def counted(xs):
    total = 0
    for x in xs:
        if x < 0:
            continue
        if x > 9:
            break
        total += x
    else:
        return None
    return total


def conditional(x):
    while x:
        x -= 1
    while True:
        if x.done():
            break
        x.step()


def nested(grid):
    for row in grid:
        for cell in row:
            if cell is None:
                return row
            while cell is not None:
                cell = cell.next


def unpacked(pairs):
    for a, (b, *c) in pairs:
        print(a, b, c)
