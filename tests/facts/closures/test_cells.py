"""Cells: owner, readers, writers, capturers, and who shares them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from coscope.facts import CellDiagram, Variable, diagram
from coscope.readers import read
from coscope.readers.from_interpreter import compile_source, identify
from coscope.readers.from_source import from_source, static_function
from tests import interpreters


def outer(n: int) -> Any:
    total = 42

    def inner(x: int) -> int:
        nonlocal total
        total += x * n
        return total

    def other() -> int:
        return total

    return inner, other


def variable(found: CellDiagram, name: str) -> Variable:
    (match,) = [each for each in found.variables if each.name == name]
    return match


def codes(uses: tuple[Any, ...]) -> list[str]:
    return [use.code.rpartition(".")[2] for use in uses]


def test_cell_variables_are_owned_and_captured_here() -> None:
    total = variable(diagram(read(outer)), "total")

    assert ("cell", "outer", False) == (total.kind, total.owner, total.parameter)
    assert ["outer", "outer"] == codes(total.capturers)
    assert ["inner", "inner", "other"] == codes(total.readers)
    assert ["outer", "inner"] == codes(total.writers)
    assert () == total.deleters


def test_a_captured_parameter_is_a_cell_too() -> None:
    assert variable(diagram(read(outer)), "n").parameter


def test_a_cell_of_a_live_function_is_shown_with_its_value() -> None:
    inner, _ = outer(3)
    cell = variable(diagram(read(inner)), "total").cell

    assert cell is not None
    assert cell.value is not None
    assert ("int", "42") == (cell.value.type_name, cell.value.text)


def test_functions_that_share_a_cell_are_found() -> None:
    inner, other = outer(3)
    found = diagram(read(inner))

    assert [("outer.<locals>.other", __name__, "total", id(other))] == [
        (each.qualname, each.module, each.name, each.identity)
        for each in variable(found, "total").sharers
    ]
    assert () == variable(found, "n").sharers
    assert (True, True) == (found.complete, found.search is not None)


def test_functions_of_one_code_that_share_a_cell_are_a_late_binding() -> None:
    functions = []
    for index in range(3):
        functions.append(lambda: index)  # noqa: B023
    shared = variable(diagram(read(functions[0])), "index").sharers

    assert [True, True] == [each.same_code for each in shared]


def test_each_call_makes_cells_of_its_own() -> None:
    first, _ = outer(1)
    outer(2)

    assert [] == [
        each.identity
        for each in variable(diagram(read(first)), "n").sharers
        if each.identity != id(first)
    ]


def test_the_owner_of_a_free_variable_is_looked_for_in_the_code_around() -> None:
    inner, _ = outer(3)

    assert None is variable(diagram(read(inner)), "total").owner
    assert "outer" == variable(diagram(read(inner), within=read(outer).code), "total").owner


def test_an_empty_cell_is_shown_as_one() -> None:
    def make() -> Any:
        def inner() -> Any:
            return later

        yield inner
        later = 1

    cell = variable(diagram(read(next(make()))), "later").cell

    assert cell is not None
    assert cell.empty


def test_a_function_that_holds_itself_is_told() -> None:
    def make() -> Callable[[], object]:
        def again() -> object:
            return again

        return again

    assert "holds this function itself" == variable(diagram(read(make())), "again").note


def test_the_class_cell_is_named() -> None:
    class Child:
        def method(self) -> Any:
            return super().__init__

    found = variable(diagram(read(Child.method)), "__class__")

    assert "the class, for super() and __class__" == found.note


def test_a_sharer_may_know_the_variable_by_another_code() -> None:
    def make() -> Any:
        x = 1

        def first() -> int:
            return x

        def second() -> Any:
            return lambda: x

        return first, second, second()

    first, second, third = make()
    found = {each.identity for each in variable(diagram(read(first)), "x").sharers}

    assert {id(second), id(third)} == found


def test_no_search_is_made_where_it_is_not_asked_for() -> None:
    inner, _ = outer(3)
    found = diagram(read(inner), sharers=False)

    assert (None, ()) == (found.search, variable(found, "total").sharers)


SOURCE = b"""
def outer(a):
    x = 1
    class K:
        y = x
        def method(self):
            nonlocal x
            x = a
            del x
    return [lambda: x for _ in (1,)]
"""


@pytest.mark.parametrize("version", interpreters.VERSIONS)
def test_every_version_tells_the_same_story(version: str) -> None:
    interpreter = identify(str(interpreters.require(version)))
    module = compile_source(interpreter, SOURCE, "x.py")
    function = static_function([*module.walk()][1], "interpreter", None)
    found = diagram(function)
    x = variable(found, "x")

    assert ["outer"] == [each.owner for each in found.variables if each.name == "x"]
    assert ["K", "<lambda>"] == codes(x.readers)
    assert ["outer", "method"] == codes(x.writers)
    assert ["method"] == codes(x.deleters)
    assert {"read name or cell", "read cell"} == {use.access for use in x.readers}
    assert ["method"] == codes(variable(found, "a").readers)
    assert [] == [use for use in x.uses if use.line is None and not use.access.startswith("make")]


@pytest.mark.parametrize("version", interpreters.VERSIONS)
def test_an_inner_variable_of_the_same_name_is_another_one(version: str) -> None:
    interpreter = identify(str(interpreters.require(version)))
    source = (
        b"def outer(x):\n"
        b"  def middle():\n"
        b"    def other(x):\n"
        b"      return lambda: x\n"
        b"    return x\n"
        b"  return middle\n"
    )
    code = [*compile_source(interpreter, source, "x.py").walk()][1]
    found = variable(diagram(static_function(code, "interpreter", None)), "x")

    assert ["middle"] == codes(found.readers)


def test_many_free_variables_are_followed_past_extended_arguments() -> None:
    names = [f"v{number}" for number in range(300)]
    source = (
        f"def outer({', '.join(names)}):\n  def inner():\n    return {' + '.join(names)}\n"
        "  return inner\n"
    )
    code = [*from_source(source).code.walk()][1]
    found = diagram(static_function(code, "source", None))

    assert [["inner"]] * 300 == [codes(each.readers) for each in found.variables]
    assert names == [each.name for each in sorted(found.variables, key=lambda v: int(v.name[1:]))]
