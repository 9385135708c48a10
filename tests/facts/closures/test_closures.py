"""Closures of live functions: sharing, late binding, nesting, circles, sizes."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from typing import Any

import pytest

from coscope.facts.closures.closures import DEEPEST, Closure, FreeVariable, Node, closure
from coscope.readers import read
from tests.readers.hostile import CALLS, hostile

Functions = list[Callable[..., Any]]


def free(found: Closure, name: str) -> FreeVariable:
    (match,) = [each for each in found.free if each.name == name]
    return match


def counter() -> Any:
    count = 0

    def step() -> int:
        nonlocal count
        count += 1
        return count

    def value() -> int:
        return count

    return step, value


def loop_with_lambda() -> Functions:
    made: Functions = []
    for index in range(3):
        made.append(lambda: index)  # noqa: B023
    return made


def comprehension() -> Functions:
    return [lambda: index for index in range(3)]  # noqa: B023


def loop_with_def() -> Functions:
    made: Functions = []
    count = 0
    while count < 3:
        count += 1

        def task() -> int:
            return count  # noqa: B023

        made.append(task)
    return made


def fixed_by_default() -> Functions:
    return [lambda index=index: index for index in range(3)]


def fixed_by_factory() -> Functions:
    def make(index: int) -> Callable[[], int]:
        return lambda: index

    return [make(index) for index in range(3)]


def fixed_by_partial() -> Functions:
    def task(index: int) -> int:
        return index

    return [functools.partial(task, index).func for index in range(3)]


def shared_on_purpose() -> Functions:
    cache: dict[str, int] = {}
    return [lambda: cache for _ in range(3)]


def shared_by_decorator() -> Functions:
    seen: list[str] = []

    def decorate(function: Any) -> Any:
        def wrapper() -> Any:
            seen.append("call")
            return function

        return wrapper

    return [decorate(each) for each in (1, 2, 3)]


@pytest.mark.parametrize("make", [loop_with_lambda, comprehension, loop_with_def])
def test_late_binding_is_proved_on_every_function_of_the_bug(make: Callable[[], Functions]) -> None:
    functions = make()

    assert [[True]] * 3 == [[each.late for each in closure(f).free] for f in functions]
    assert 1 == len({function() for function in functions})


@pytest.mark.parametrize(
    "make",
    [
        fixed_by_default,
        fixed_by_factory,
        fixed_by_partial,
        shared_on_purpose,
        shared_by_decorator,
    ],
)
def test_late_binding_is_never_said_of_the_fix(make: Callable[[], Functions]) -> None:
    functions = make()

    assert {False} >= {each.late for f in functions for each in closure(f).free}


def test_late_binding_is_proved_from_the_code_where_one_function_is_left() -> None:
    def make() -> list[Callable[[], int]]:
        found: list[Callable[[], int]] = []
        for step in range(3):
            found.append(lambda: step)  # noqa: B023
        return found[:1]

    (left,) = make()

    assert 2 == left()
    assert [True] == [each.late for each in closure(left).free]
    assert "bound late" in str(closure(left))


def test_late_binding_is_not_known_where_the_source_is_not() -> None:
    space: dict[str, Any] = {}
    exec("def make(): return [lambda: index for index in range(3)]", space)
    functions = space["make"]()

    assert [[None]] * 3 == [[each.late for each in closure(f).free] for f in functions]


def test_owner_writers_and_readers_are_told_from_the_code_around() -> None:
    step, _ = counter()
    count = free(closure(step), "count")

    assert "counter" == count.owner
    assert ["counter", "counter.<locals>.step"] == sorted({use.code for use in count.writers})
    assert ["counter.<locals>.step", "counter.<locals>.value"] == sorted(
        {use.code for use in count.readers}
    )


def test_live_functions_with_the_same_cell_share_it_with_its_identity() -> None:
    step, value = counter()
    one, other = free(closure(step), "count"), free(closure(value), "count")

    assert one.cell is not None
    assert other.cell is not None
    assert one.cell.identity == other.cell.identity
    assert [id(value)] == [sharer.identity for sharer in one.sharers]
    assert "garbage collector" in str(closure(step).search)


def test_an_empty_cell_has_no_size() -> None:
    def make() -> Any:
        def inner() -> Any:
            return later

        yield inner
        later = 1

    later = free(closure(next(make())), "later")

    assert later.cell is not None
    assert (True, None) == (later.cell.empty, later.size)


def test_sizes_count_what_two_cells_hold_once() -> None:
    data = bytearray(1_000_000)
    pair = [data]

    def inner() -> Any:
        return data, pair

    found = closure(inner)
    sizes = {each.name: each.size for each in found.free}

    assert sizes["pair"] is not None
    assert sizes["pair"].bytes > 1_000_000 > sizes["pair"].added
    assert 1_000_000 < found.bytes < 1_001_000


def tree_of(nodes: tuple[Node, ...]) -> list[Any]:
    return [
        (node.name, node.function and node.function.rpartition(".")[2], node.again)
        + ((tree_of(node.nodes),) if node.nodes else ())
        for node in nodes
    ]


def test_functions_in_cells_nest_as_a_tree() -> None:
    def outermost(function: Any, empty: Any) -> Any:
        del empty

        def wrapper() -> Any:
            return function, empty  # noqa: F821

        return wrapper

    def inner(n: int) -> Any:
        return lambda: n

    found = closure(outermost(functools.partial(inner(3)), 1))

    assert [
        ("empty", None, False),
        ("function", "<lambda>", False, [("n", None, False)]),
    ] == tree_of(found.tree)
    assert ("partial.func",) == found.tree[1].via


def test_a_function_that_holds_itself_is_a_circle() -> None:
    def make() -> Any:
        def again() -> Any:
            return again

        return again

    (circle,) = closure(make()).circles

    assert [("target", "again"), ("closure", "again")] == list(circle)


def test_a_circle_may_lead_through_other_functions() -> None:
    def make() -> Any:
        def even(n: int) -> bool:
            return n == 0 or odd(n - 1)

        def odd(n: int) -> bool:
            return n != 0 and even(n - 1)

        return even

    found = closure(make())

    assert [["even", "odd", "even"]] == [[step.name for step in each] for each in found.circles]
    assert [("odd", "odd", False, [("even", "even", True)])] == tree_of(found.tree)


def test_a_tree_ends_at_its_limit_and_says_so() -> None:
    def chain(function: Any) -> Any:
        return lambda: function

    function: Any = None
    for _ in range(DEEPEST + 100):
        function = chain(function)
    found = closure(function)

    assert not found.complete
    assert "A limit was reached" in str(found)


def test_own_cells_are_told_with_their_takers() -> None:
    found = closure(counter)

    assert ["count"] == [each.name for each in found.own]
    assert ("counter.<locals>.step", "counter.<locals>.value") == found.own[0].takers


def test_a_static_target_has_cells_without_contents() -> None:
    found = closure(read(__file__ + "::counter.step"))

    assert (False, "counter", None) == (found.live, found.free[0].owner, found.free[0].cell)
    assert "made when the owner runs" in str(found)


def test_nothing_that_a_cell_holds_runs() -> None:
    CALLS.clear()
    things = hostile(), [hostile()]

    def inner() -> Any:
        return things

    found = closure(inner)
    str(found)

    assert [] == CALLS
    assert "things" == found.to_json()["free"][0]["name"]


def test_the_page_keeps_to_its_width_and_the_document_is_json() -> None:
    functions = loop_with_lambda()
    found = closure(functions[0])

    assert "all see its last value" in " ".join(str(found).split())
    assert max(map(len, str(found).splitlines())) <= 100
    assert True is json.loads(json.dumps(found.to_json(), allow_nan=False))["free"][0]["late"]
