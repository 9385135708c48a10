"""What the source states is changed, what the compiler made for itself is left, and said."""

from __future__ import annotations

import linecache
import subprocess
import sys
from pathlib import Path
from types import FunctionType
from typing import Any

import pytest

import coscope
from coscope.errors import AmbiguousEdit, ConstantNotFound
from coscope.patcher.applying.apply import apply
from coscope.patcher.applying.literals import Sorter, loads_of
from coscope.patcher.edits.documents import from_json, to_json
from coscope.patcher.edits.model import AtOnce, Rename, ReplaceConstant
from coscope.readers.from_function import from_code_object
from tests.patcher.samples import function

TOOL = Path(__file__).resolve().parents[3] / "tools" / "literal_differential.py"


def entered(text: str, name: str = "f", **namespace: Any) -> FunctionType:
    """A function whose source `linecache` holds, as of a notebook's cell."""
    file = f"<literal-{abs(hash(text))}>"
    linecache.cache[file] = (len(text), None, text.splitlines(True), file)
    exec(compile(text, file, "exec"), namespace)
    found: FunctionType = namespace[name]
    return found


class Manager:
    """Keeps what `__exit__` gets."""

    def __init__(self) -> None:
        self.got: tuple[object, ...] = ()

    def __enter__(self) -> Manager:
        return self

    def __exit__(self, *got: object) -> bool:
        self.got = got
        return False


def test_exit_gets_none_from_the_compiler() -> None:
    f = entered("def f(m, g):\n    with m:\n        g(None)\n")
    manager, seen = Manager(), []
    patched = coscope.patch(f, constants={None: 5})
    patched(manager, seen.append)

    assert ([5], (None, None, None)) == (seen, manager.got)
    assert any("the compiler made" in note for note in patched.receipt.notes)  # type: ignore[attr-defined]


def test_what_the_compiler_made_changes_if_asked() -> None:
    f = entered("def f(m, g):\n    with m:\n        g(None)\n")
    manager = Manager()
    coscope.patch(f, constants={None: 5}, compiler_made=True)(manager, id)

    assert (5, 5, 5) == manager.got


@pytest.mark.parametrize("ending", ["return None", "return", "pass"])
@pytest.mark.parametrize("around", ["if 1:", "with m:", "for x in (1,):"])
def test_only_a_return_that_says_none_returns_another_value(around: str, ending: str) -> None:
    f = entered(f"def f(m, g):\n    g(None)\n    {around}\n        {ending}\n")

    expected = 5 if ending == "return None" else None
    assert expected == coscope.patch(f, constants={None: 5})(Manager(), id)


def test_without_a_source_a_return_of_none_is_left_and_said() -> None:
    f = function("def f(g):\n    g(None)\n    return None\n")
    patched = coscope.patch(f, constants={None: 5})

    assert patched(id) is None
    assert any("nothing tells" in note for note in patched.receipt.notes)
    assert 5 == coscope.patch(f, constants={None: 5}, compiler_made=True)(id)


@pytest.mark.parametrize(
    ("text", "old", "expected"),
    [
        ("def f():\n    import json\n    return 0, json.__name__\n", 0, (7, "json")),
        ("def f():\n    class C: pass\n    return C.__name__, 'C'\n", "C", ("C", 7)),
        ("def f():\n    e = 1\n    try: 1 / 0\n    except Exception as e: pass\n    x = None\n"
         "    return x\n", None, 7),
        ("def f():\n    a = [1, 2]\n    return a[:], a[1:], (lambda: None)() is a\n", 1, None),
        ("def f():\n    match [1, 2]:\n        case [x, y]: return x, 2\n", 2, (1, 7)),
        ("def f():\n    return f'{1}', ''\n", "", ("1", 7)),
    ],
)  # fmt: skip
def test_each_kind_of_load(text: str, old: object, expected: object) -> None:
    f = entered(text)
    patched = coscope.patch(f, constants={old: 7}, folded="replace")

    if expected is not None:
        assert expected == patched()


def test_send_and_the_end_of_a_generator_keep_none() -> None:
    f = entered("def f():\n    x = None\n    yield from iter([1, 2])\n    yield x\n    yield\n")

    assert [1, 2, 5, None] == list(coscope.patch(f, constants={None: 5})())


def test_names_in_nested_code_are_no_literals() -> None:
    text = "def f():\n    def g(x: int = 3) -> int:\n        return 'x', x\n    return g\n"
    g = coscope.patch(entered(text), constants={"x": "y"}, nested=True)()

    assert ("y", 3) == g()
    assert {"x", "return"} == set(g.__annotations__)


def test_all_pairs_apply_at_once() -> None:
    f = entered("def f():\n    a = 1; b = 2; c = (1, 2, a)\n    return a, b, c[:2]\n")
    swapped = coscope.patch(f, constants={1: 2, 2: 1}, folded="replace")

    assert (2, 1) == swapped()[:2]


def test_pairs_in_a_folded_constant_apply_at_once() -> None:
    f = entered("def f():\n    return (1000, 2000)\n")

    assert (2000, 1000) == coscope.patch(f, constants={1000: 2000, 2000: 1000}, folded="replace")()


def test_names_are_exchanged_at_once() -> None:
    f = function("def f(): return first(second)", first=len, second="four")
    swapped = coscope.patch(f, names={"first": "second", "second": "first"})
    swapped.__globals__["first"], swapped.__globals__["second"] = "three", str.upper

    assert "THREE" == swapped()


def test_two_values_for_one_constant_are_refused() -> None:
    with pytest.raises(AmbiguousEdit, match="two things at once"):
        coscope.patch(function("def f(): return g(1)"), constants=[(1, 2), (1, 3)])


def test_one_pair_that_is_not_there_is_an_error() -> None:
    with pytest.raises(ConstantNotFound, match="loads 9"):
        coscope.patch(function("def f(): return g(1)"), constants={1: 2, 9: 3})


def test_edits_at_once_go_through_json() -> None:
    edit = AtOnce(edits=(ReplaceConstant(old=1, new=2), ReplaceConstant(old=2, new=1)))

    assert edit == from_json(to_json(edit))


@pytest.mark.parametrize(
    ("edits", "found"),
    [
        ((), "AtOnce.edits is a tuple"),
        ((ReplaceConstant(old=1, new=2), Rename(old="a", new="b")), "AtOnce.edits is a tuple"),
        ((ReplaceConstant(old=1, new=2, folded="?"),), "ReplaceConstant.folded"),
    ],
)
def test_edits_at_once_are_checked(edits: Any, found: str) -> None:
    code = from_code_object(function("def f(): return 1").__code__)

    with pytest.raises(coscope.PatchError, match=found):
        apply(code, [AtOnce(edits=edits)])


@pytest.mark.parametrize(
    ("body", "old", "note"),
    [
        ("return 60 * 60, 60 + len(a)", 60, "`60 * 60` on line 2, which the compiler folded into"),
        ("return -30, 30 + len(a)", 30, "`-30` on line 2"),
        ("return 1 if a is None else len(a, None)", None, "`a is None` on line 2, a test"),
        ("while 1: return len(a, 1)", 1, "on line 2, where no instruction loads it"),
    ],
)
def test_a_literal_that_stands_folded_too_is_noted(body: str, old: object, note: str) -> None:
    patched = coscope.patch(entered(f"def f(a):\n    {body}\n"), constants={old: 5}, folded="leave")

    assert any(note in each for each in patched.receipt.notes), patched.receipt.notes  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("body", "old", "said"),
    [
        (
            "return 60 * 60",
            60,
            "line 2 states it in `60 * 60`, which the compiler folded into 3600",
        ),
        (
            "return 1 if a is None else 2",
            None,
            "line 2 states it in `a is None`, a test that loads nothing",
        ),
        ("return len('30')", 30, "It loads str '30', which is of another type"),
    ],
)
def test_alone_it_is_an_error_that_names_what_was_made(body: str, old: object, said: str) -> None:
    with pytest.raises(ConstantNotFound) as caught:
        coscope.patch(entered(f"def f(a):\n    {body}\n"), constants={old: 5})

    assert said in str(caught.value)


def test_another_line_is_told_where_the_constant_is() -> None:
    f = function("def f():\n a = 30\n b = 7\n return 30\n")

    with pytest.raises(ConstantNotFound, match="30 is loaded on lines 2, 4"):
        coscope.patch(f, constants={30: 1}, where=coscope.at_line(3))


def test_a_set_is_told_from_what_the_compiler_keeps() -> None:
    f = function("def f(x): return x in {1, 2}")

    with pytest.raises(ConstantNotFound, match="is a frozenset: give that"):
        coscope.patch(f, constants=[({1, 2}, {3})])


class Owner:
    T = 41

    def read(self) -> int:
        return self.T

    @property
    def x(self) -> int:
        return 17

    @x.setter
    def x(self, value: int) -> None:
        self.kept = (value, 18)


def test_the_attribute_of_the_class_is_named() -> None:
    with pytest.raises(ConstantNotFound, match="the class attribute `T` of `Owner` is 41"):
        coscope.patch(Owner.read, constants={41: 1})


def test_the_setter_of_a_property_is_named() -> None:
    with pytest.raises(ConstantNotFound, match=r"The setter of the property does: patch its .fset"):
        coscope.patch(Owner.__dict__["x"], constants={18: 1})


def test_a_patch_in_place_by_somebody_else_is_named() -> None:
    f = function("def f(): return g(30)")

    with (
        coscope.patched(f, constants={30: 5}),
        pytest.raises(ConstantNotFound, match="a patch that is in place has replaced it: 30 -> 5"),
    ):
        coscope.patch(f, constants={30: 6})


def test_what_freeze_could_have_meant_is_told() -> None:
    f = function("def f(x): return len(x)")

    with pytest.raises(coscope.NothingSelected, match=r"Did you mean 'len'\? It reads len"):
        coscope.freeze(f, "lenn")


def test_code_without_columns_is_sorted_as_far_as_lines_go() -> None:
    f = function("def f(m, g):\n    import json\n    with m:\n        g(0)\n    g(None)\n")
    code = from_code_object(
        f.__code__.replace(co_linetable=bytes([0x80 | 15 << 3 | 7]))  # no position at all
    )
    sorter = Sorter(code)
    sorts = [(load.value, sorter.sort(load)) for load in loads_of(code)]

    assert (0, "made") == sorts[0]
    assert {"made", "unsure"} >= {sort for value, sort in sorts if value is None}
    assert (0, "source") in sorts


def test_patched_code_equals_the_recompiled_changed_source() -> None:
    library = Path(coscope.__file__).parent
    for arguments in (["places", "--every", "9"], ["drawn", str(library), "--count", "60"]):
        run = subprocess.run(
            [sys.executable, str(TOOL), *arguments], capture_output=True, text=True, timeout=300
        )

        assert 0 == run.returncode, run.stdout + run.stderr
        assert "same" in run.stdout
