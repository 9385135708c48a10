# since 3.14
def template(name, width):
    return t"hello {name!r:>{width}} and {name + 1}", t"plain"


def deferred(a: Later, b: "x") -> Later:
    local: Later = a


class Annotated:
    a: Later
    if a:
        b: Later


module_level: Later = 1
