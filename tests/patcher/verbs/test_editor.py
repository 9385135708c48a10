"""`coscope.edit` and `coscope.freeze`."""

from __future__ import annotations

import math
from typing import Any

import pytest

import coscope
from coscope.patcher.edits.model import Do, Literal, Outcome, Variable, Where
from tests.patcher.verbs.closures import factorial, outer, stepping

SCALE = 2


def scaled(x: Any) -> Any:
    size = len(x) + len(x)
    if size > 3:
        raise ValueError(size)
    return size * SCALE


FIRST = scaled.__code__.co_firstlineno


def test_loads_are_replaced_all_at_once() -> None:
    editor = coscope.edit(scaled)
    loads = editor.loads("len")
    for number, load in enumerate(loads):
        load.replace(lambda _, number=number: number)
    built = editor.build()

    assert 2 == built(None)
    assert [(FIRST + 1, "LOAD_GLOBAL")] * 2 == [(load.line, load.opname) for load in loads]
    with pytest.raises(coscope.PatchError, match="has changed since"):
        loads[0].replace(5)


def test_a_load_becomes_a_variable_or_instructions() -> None:
    editor = coscope.edit(scaled)
    editor.loads("SCALE")[0].replace(Variable("size"))
    assert 4 == editor.build()("a")
    editor = coscope.edit(scaled)
    editor.loads("SCALE")[0].replace(Do("LOAD_CONST", 5))
    assert 10 == editor.build()("a")
    with pytest.raises(coscope.PatchError, match="nothing to load"):
        coscope.edit(scaled).loads("SCALE")[0].replace()


def test_hooks() -> None:
    log: list[Any] = []
    editor = coscope.edit(scaled)
    editor.insert_before(line=FIRST + 2, call=log.append, args=("size",))
    editor.on_entry(log.append, (Literal("in"),))
    editor.on_exit(log.append, (Outcome(),))
    built = editor.build()

    assert 4 == built("a")
    with pytest.raises(ValueError, match="6"):
        built("abc")
    assert ["in", 2, 4, "in", 6] == log[:5]
    assert isinstance(log[5], ValueError)
    assert 4 == scaled("a")
    log.clear()
    yields = coscope.edit(stepping).on_yield(log.append, (Outcome(),)).build()
    assert list(yields(2)) == log


def test_other_steps() -> None:
    editor = coscope.edit(scaled)
    editor.constant(3, 300).rename("SCALE", "FIRST").describe(name="renamed")
    editor.insert(Where(opname="RETURN_VALUE"), Do("NOP"))
    built = editor.build()

    assert (2 * FIRST, "renamed") == (built("a"), built.__name__)
    assert 4 == len(built.receipt.edits)
    wrapped = coscope.edit(factorial).wrap_calls(
        Where(opname="CALL"), lambda f, *args: f(*args) + 1
    )
    assert 3 * (factorial(2) + 1) == wrapped.build()(3)


def test_an_edit_that_is_refused_leaves_the_others() -> None:
    editor = coscope.edit(scaled)
    with pytest.raises(coscope.ConstantNotFound):
        editor.constant(99, 1)
    editor.constant(3, 300)

    assert 8 == editor.build()("ab")


def test_frozen_names_are_immune(monkeypatch: pytest.MonkeyPatch) -> None:
    frozen = coscope.freeze(scaled, "len", SCALE=3)
    monkeypatch.setitem(globals(), "len", lambda _: 0)

    assert (6, 0) == (frozen("a"), scaled("a"))
    assert None is frozen.receipt.warning


def test_freezing_as_a_decorator() -> None:
    @coscope.freeze("math", SCALE=7)
    def area(r: float) -> tuple[float, int]:
        return math.pi * r, SCALE

    assert (math.pi, 7) == area(1)
    assert ("name math -> constant <module math>", "name SCALE -> constant 7") == (
        area.receipt.changes
    )


def test_freezing_free_variables_and_nested_functions() -> None:
    assert 10 * 5 + 1 == coscope.freeze(outer(2, 3), y=1)(10)

    def maker() -> Any:
        return lambda: (SCALE, [SCALE for _ in "a"])

    assert (9, [9]) == coscope.freeze(maker, SCALE=9)()()


def test_a_nested_functions_own_variable_is_another_one() -> None:
    y = 1

    def maker() -> Any:
        def other() -> Any:
            y = 5
            return lambda: y

        return y, other()()

    assert (9, 5) == coscope.freeze(maker, y=9)()


def test_what_cannot_be_frozen() -> None:
    def writing() -> int:
        global SCALE
        SCALE = 5
        return SCALE

    def looking() -> type:
        class Inner:
            value = SCALE

        return Inner, SCALE  # type: ignore[return-value]

    with pytest.raises(coscope.Refused, match="assigns or deletes"):
        coscope.freeze(writing, "SCALE")
    with pytest.raises(coscope.NothingSelected, match=r"It reads .*SCALE"):
        coscope.freeze(scaled, nothing=1)
    with pytest.raises(coscope.NothingSelected, match="nothing in 'scaled' reads 'nowhere'"):
        coscope.freeze(scaled, "nowhere")
    with pytest.raises(coscope.NothingSelected, match="no value"):
        coscope.freeze(lambda: unbound, "unbound")  # type: ignore[name-defined]  # noqa: F821
    with pytest.raises(coscope.PatchError, match="no name"):
        coscope.freeze(scaled)
    frozen = coscope.freeze(looking, SCALE=9)
    assert (2, 9) == (frozen()[0].value, frozen()[1])
    assert any("class body" in note for note in frozen.receipt.notes)
