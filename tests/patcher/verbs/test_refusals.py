"""Every refusal of a live patch: what it says, and that the original is untouched."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import coscope
from coscope.patcher.edits.model import (
    Do,
    Insert,
    InsertCall,
    Literal,
    Outcome,
    Remove,
    Replace,
    ReplaceConstant,
    Where,
    at_line,
)
from tests.patcher.verbs.test_patching import state

LIMIT = 77
COUNT = 0


def documented(n: int = 1) -> Any:
    "The only text."
    return n, 5


def folding(n: int) -> bool:
    return n in (1, 30) or n == 30 or n in (40, 41)


def counting() -> int:
    global COUNT
    COUNT += 1
    return COUNT


def adding(a: int, b: int = 2, *, c: int = 3) -> int:
    return a + b + c + LIMIT


def holding(y: int = 1) -> Any:
    return lambda: y + LIMIT


def stepping(n: int) -> Iterator[int]:
    yield n


closure = holding()

REFUSALS: list[tuple[Any, dict[str, Any], type[Exception], str]] = [
    # Constants that are not there, or are something else's too.
    (adding, {"constants": {7: 8}}, coscope.ConstantNotFound, "no instruction of 'adding' loads 7"),
    (adding, {"constants": {LIMIT: 4}}, coscope.ConstantNotFound, 'globals={"LIMIT": 4}'),
    (adding, {"constants": {2: 4}}, coscope.ConstantNotFound, 'defaults={"b": 4}'),
    (closure, {"constants": {1: 4}}, coscope.ConstantNotFound, 'cells={"y": 4}'),
    (documented, {"constants": {"The only text.": "x"}}, coscope.Refused, "docstring"),
    (folding, {"constants": {30: 5}}, coscope.AmbiguousEdit, "part of the constant (1, 30)"),
    (folding, {"constants": {40: 5}}, coscope.ConstantNotFound, "part of the constant (40, 41)"),
    (documented, {"constants": {5: documented.__code__}}, coscope.Refused, "code object"),
    (documented, {"constants": {5: 6}, "folded": "drop"}, coscope.PatchError, "folded is 'refuse'"),
    (documented, {"constants": {5: 6}, "loose": 1}, coscope.PatchError, "loose is True or False"),
    (documented, {"constants": {5: 6}, "nested": "x"}, coscope.PatchError, "nested is True or"),
    (documented, {"constants": {5: 6}, "where": at_line(1)}, coscope.ConstantNotFound, "line"),
    # Names.
    (adding, {"names": {"limit": "x"}}, coscope.NothingSelected, "LIMIT"),
    (adding, {"names": {"a": "x"}}, coscope.Refused, "local variable"),
    (closure, {"names": {"y": "x"}}, coscope.Refused, "a cell"),
    (adding, {"names": {"LIMIT": ""}}, coscope.PatchError, "at least one character"),
    (adding, {"names": {"LIMIT": "X"}, "kind": "local"}, coscope.PatchError, "kind is 'global'"),
    (adding, {"names": {"LIMIT": "X"}, "kind": "import"}, coscope.NothingSelected, "kind='global'"),
    (counting, {"globals": {"COUNT": 5}}, coscope.Refused, "assigns or deletes it"),
    (adding, {"globals": {"a": 5}}, coscope.NothingSelected, "nothing in 'adding' reads 'a'"),
    # What does not fit round the code.
    (closure, {"cells": {"x": 5}}, coscope.NothingSelected, "Its free variables are y"),
    (holding, {"cells": {"y": 5}}, coscope.NothingSelected, "Each call of the function makes"),
    (adding, {"cells": {"LIMIT": 5}}, coscope.NothingSelected, "globals={'LIMIT': ...}"),
    (adding, {"defaults": {"d": 5}}, coscope.WrongDefaults, "'d'"),
    (adding, {"kwdefaults": {"b": 5}}, coscope.WrongDefaults, "keyword-only"),
    (folding, {"firstlineno": -1}, coscope.PatchError, "0 or more"),
    (stepping, {"firstlineno": (1 << 31) - 1}, coscope.PatchError, "first line of at most"),
    (folding, {"name": 5}, coscope.PatchError, "name is a string, or None"),
    # Instructions.
    (adding, {"edits": [Remove(where=Where(nth=0))]}, coscope.Refused, "not ready"),
    (adding, {"edits": [Remove(where=Where(nth=-1))]}, coscope.Refused, "cannot run"),
    (
        adding,
        {"edits": [Insert(where=Where(nth=-1), instructions=(Do("POP_TOP"),))]},
        coscope.Refused,
        "cannot run",
    ),
    (
        adding,
        {"edits": [Replace(where=Where(opname="RETURN_VALUE"), instructions=(Do("XX"),))]},
        coscope.Refused,
        "has no instruction XX",
    ),
    (
        adding,
        {
            "edits": [
                Insert(
                    where=Where(nth=-1),
                    instructions=(Do("LOAD_CONST", 1), Do("LIST_APPEND", 1)),
                )
            ]
        },
        coscope.NotVerified,
        "the verifier refuses it: VER",
    ),
    (
        adding,
        {"edits": [InsertCall(call=Literal(None), at="yield")]},
        coscope.NothingSelected,
        "there is no yield",
    ),
    (
        adding,
        {"edits": [InsertCall(call=Outcome())]},
        coscope.PatchError,
        "no outcome before an exit",
    ),
    (
        stepping,
        {"edits": [ReplaceConstant(old=1, new=2, code="missing")]},
        coscope.NothingSelected,
        "there is no code object 'missing'",
    ),
]


@pytest.mark.parametrize(
    ("function", "changes", "kind", "words"),
    REFUSALS,
    ids=[f"{number}" for number in range(len(REFUSALS))],
)
def test_it_says_what_and_changes_nothing(
    function: Any, changes: dict[str, Any], kind: type[Exception], words: str
) -> None:
    before = state(function)
    with pytest.raises(kind) as caught:
        coscope.patch(function, **changes)

    assert words in str(caught.value)
    assert before == state(function)
    assert before[0] is function.__code__


@pytest.mark.parametrize(
    ("function", "changes", "kind", "words"),
    REFUSALS,
    ids=[f"{number}" for number in range(len(REFUSALS))],
)
@pytest.mark.filterwarnings("ignore:CPython 3.13:RuntimeWarning")
def test_nor_in_place(
    function: Any, changes: dict[str, Any], kind: type[Exception], words: str
) -> None:
    before = state(function)
    with pytest.raises(kind) as caught, coscope.patched(function, **changes):
        raise AssertionError("it is in place")

    assert words in str(caught.value)
    assert before == state(function)
    assert before[0] is function.__code__


def test_keyword_names_are_refused() -> None:
    def calling() -> Any:
        return made(key=1), "key"

    def made(**names: int) -> dict[str, int]:
        return names

    copy = coscope.patch(calling, constants={"key": "x"})
    assert ({"key": 1}, "x") == copy()
    with pytest.raises(coscope.CoscopeError, match="key"):
        coscope.patch(calling, constants={("key",): ("x",)})


def test_globals_are_bound_and_all_others_stay_live(monkeypatch: pytest.MonkeyPatch) -> None:
    def maker() -> Any:
        return lambda: (LIMIT, COUNT)

    bound = coscope.patch(maker, globals={"LIMIT": 8})
    assert (8, COUNT) == bound()()
    monkeypatch.setitem(globals(), "COUNT", 70)
    monkeypatch.setitem(globals(), "LIMIT", 71)

    assert ((8, 70), (71, 70)) == (bound()(), maker()())
    assert bound.__globals__ is globals()
