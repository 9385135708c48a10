"""One code object of a file, by its qualified name."""

from __future__ import annotations

import pytest

from coscope.errors import TargetError, TargetNotFound
from coscope.readers import read, select
from coscope.readers.from_source import from_source

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
