import abc


@decorator(1)
@abc.other
class Plain(Base, metaclass=Meta):
    """Documented."""

    attribute: int = 1
    other: "str"

    def method(self):
        return __class__

    @property
    def value(self):
        return self._value

    def __private(self):
        self.__x = 1
        self.__x += 1
        del self.__x


class Empty:
    pass


def outer(a):
    class Inner:
        b = a

        def m(self):
            return a

    return Inner
