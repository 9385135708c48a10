# since 3.13
class Box[T = int, *Ts = *tuple[int], **P = [int]]:
    pass
