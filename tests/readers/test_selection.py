"""One code object of a file, by its qualified name."""

from __future__ import annotations

import pytest

from coscope.errors import SourceError, TargetError, TargetNotFound
from coscope.model import Function
from coscope.readers import read, select
from coscope.readers.from_source import from_source
from coscope.readers.selection import at_line

SOURCE = '''
class Order:
    @property
    def total(self): return 1

    @total.setter
    def total(self, value): pass

    def items(self):
        """Say which."""
        def inner():
            return lambda: 0
        return inner

def outer():
    def inner(): pass
    class Local:
        def method(self): pass
'''
MODULE = from_source(SOURCE, "orders.py")


@pytest.mark.parametrize(
    ("name", "qualname"),
    [
        ("Order", "Order"),
        ("Order.items", "Order.items"),
        ("Order.items.<locals>.inner", "Order.items.<locals>.inner"),
        ("Order.items.inner", "Order.items.<locals>.inner"),
        ("Order.items.inner.<lambda>", "Order.items.<locals>.inner.<locals>.<lambda>"),
        ("outer.Local.method", "outer.<locals>.Local.method"),
        ("<module>", "<module>"),
    ],
)
def test_a_name_is_found_with_and_without_locals(name: str, qualname: str) -> None:
    assert qualname == select(MODULE, name).qualname


def test_what_is_selected_keeps_the_source_and_has_its_own_docstring() -> None:
    selected = select(MODULE, "Order.items")

    assert (MODULE.source, "source", "Say which.") == (
        selected.source,
        selected.origin,
        selected.doc,
    )


def test_a_name_that_several_have_is_refused_with_their_lines() -> None:
    with pytest.raises(TargetError) as raised:
        select(MODULE, "Order.total")

    assert not isinstance(raised.value, TargetNotFound)
    assert "line 3 (function), line 6 (function)" == raised.value.found
    assert "Order.total@3" in (raised.value.hint or "")


def test_the_first_line_chooses_among_several() -> None:
    assert ("self", "value") == select(MODULE, "Order.total@6").code.varnames


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("Order.item", "Order.items"),
        ("items", "Order.items"),
        ("order", "Order"),
        ("Order.total@4", "Order.total"),
    ],
)
def test_a_name_that_nothing_has_tells_similar_ones(name: str, meant: str) -> None:
    with pytest.raises(TargetNotFound) as raised:
        select(MODULE, name)

    assert meant in (raised.value.hint or "")
    assert "orders.py" == raised.value.file


def test_code_nested_in_a_live_function_is_selected_by_its_short_name() -> None:
    def outer() -> object:
        def inner() -> None: ...

        return inner

    selected = select(read(outer), "inner")

    assert (outer.__qualname__ + ".<locals>.inner", False) == (selected.qualname, selected.live)


TWO = "x = lambda: 1; y = lambda: 2\n"


def consts(function: Function) -> object:
    return function.code.consts[-1]


@pytest.mark.parametrize(
    ("name", "returned"), [("<lambda>@1:5", 1), ("<lambda>@1:20", 2), ("<lambda>#2", 2)]
)
def test_two_lambdas_on_one_line_are_told_apart(name: str, returned: int) -> None:
    assert returned == consts(select(from_source(TWO), name))


def test_every_spelling_that_a_message_offers_chooses_one() -> None:
    source = "f = [lambda: 1, lambda: 2]\ndef g(): return 1\ndef g(): return 2\ng = lambda: 3\n"
    module = from_source(source)
    found = []
    for name in ("<lambda>", "g"):
        with pytest.raises(TargetError) as raised:
            select(module, name)
        hint = raised.value.hint or ""
        found += [consts(select(module, each)) for each in hint[12:-1].split(", ")]

    assert [1, 2, 3, 1, 2] == found


@pytest.mark.parametrize("name", ["<lambda>#0", "<lambda>#3", "<lambda>@1:6", "<lambda>@2:5"])
def test_a_choice_that_nothing_fits_is_not_found(name: str) -> None:
    with pytest.raises(TargetNotFound):
        select(from_source(TWO), name)


LINES = '''\
import functools

@functools.cache
def outer(
    a, b=1,
):
    """Say
    more."""
    x = [i for i in a]
    def inner():
        return (
            lambda: x)

    return inner  # a comment


class K[T]:
    y: int = 1
    def method[S](self: S) -> S:
        return self
'''


@pytest.mark.parametrize(
    ("line", "qualname"),
    [
        (1, "<module>"),
        (2, "<module>"),
        (3, "outer"),
        (5, "outer"),
        (8, "outer"),
        (10, "outer.<locals>.inner"),
        (12, "outer.<locals>.inner.<locals>.<lambda>"),
        (13, "outer"),
        (14, "outer"),
        (15, "<module>"),
        (18, "K"),
        (20, "K.method"),
    ],
)
def test_a_line_finds_the_innermost_code_that_covers_it(line: int, qualname: str) -> None:
    source = LINES
    try:
        module = from_source(source)
    except SourceError:  # type parameters are of 3.12
        source = source.replace("[T]", "").replace("[S]", "").replace(": S", "").replace("-> S", "")
        module = from_source(source)

    assert qualname == at_line(module, line).qualname


def test_lambdas_that_share_a_line_are_told_apart_by_the_column() -> None:
    module = from_source(TWO)

    assert [1, 2] == [consts(at_line(module, 1, column)) for column in (9, 28)]
    with pytest.raises(TargetError) as raised:
        at_line(module, 1)
    assert "<lambda>@1:5, <lambda>@1:20" in (raised.value.hint or "")


@pytest.mark.parametrize("line", [0, 21])
def test_a_line_outside_of_the_file_is_not_found(line: int) -> None:
    with pytest.raises(TargetNotFound):
        at_line(from_source("x = 1\n" * 20), line)
