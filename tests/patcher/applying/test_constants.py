"""Constants replaced: by value and type, in place or beside, nested; and what is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from coscope.codec import Location, encode_locations
from coscope.codec.unmarshal import load
from coscope.errors import AmbiguousEdit, ConstantNotFound, NothingSelected, PatchError, Refused
from coscope.model import NOWHERE, Code, FrozenSet, Opaque, Slice
from coscope.opcodes import table
from coscope.patcher.applying.apply import apply
from coscope.patcher.applying.literals import loads_of
from coscope.patcher.applying.pools import key, modelled
from coscope.patcher.edits.model import ReplaceConstant, at_line, opcode
from coscope.readers.from_function import from_code_object
from coscope.verifier import verify
from tests.flow.building import DATA, HEADER, built
from tests.patcher.live import code_object, patched
from tests.patcher.samples import code_of, function


def change(code: Code, old: Any, new: Any, /, **options: Any) -> Code:
    """The edited code; the original is compared with a copy of itself."""
    copy = replace(code)
    edited = apply(code, [ReplaceConstant(old=old, new=new, **options)])
    assert copy == code
    assert verify(edited).ok
    return edited


def problem(code: Code, old: Any, new: Any, /, **options: Any) -> PatchError:
    copy = replace(code)
    with pytest.raises(PatchError) as caught:
        apply(code, [ReplaceConstant(old=old, new=new, **options)])
    assert copy == code
    return caught.value


OUTER = """
def outer(a, b):
    x = a + b
    y = 42
    def inner(z):
        return x * z + y
    return inner
"""


def test_a_constant_of_the_outer_function() -> None:
    outer = function(OUTER)

    assert 149 == patched(outer, ReplaceConstant(old=42, new=99))(2, 3)(10)
    assert 92 == outer(2, 3)(10)


def test_the_inner_function_does_not_load_it_and_the_error_has_the_facts() -> None:
    inner = function(OUTER)(2, 3)
    found = problem(from_code_object(inner.__code__), 42, 99)

    assert isinstance(found, ConstantNotFound)
    assert (42, ("x", "y")) == (found.value, found.free_variables)
    assert "no instruction of 'inner' loads 42" in str(found)


def test_the_bytes_stay_where_nothing_else_uses_the_constant() -> None:
    code = code_of("def f(x): return x + 1000, 2000")
    new = change(code, 1000, 3000)

    assert (code.code, code.linetable) == (new.code, new.linetable)
    assert code.consts.index(1000) == new.consts.index(3000)
    assert len(code.consts) == len(new.consts)


def test_one_line_gets_an_entry_of_its_own() -> None:
    f = function("def f():\n a = 1000\n b = 1000\n return a, b")
    code = from_code_object(f.__code__)
    new = change(code, 1000, "new", where=at_line(3))

    assert (1000, "new") == patched(f, ReplaceConstant(old=1000, new="new", where=at_line(3)))()
    assert code.consts == new.consts[:-1]
    assert len(code.code) == len(new.code)


@pytest.mark.parametrize(
    ("old", "others"),
    [(1, "True, 1.0"), (1.0, "True, 1"), (0.0, "-0.0, False"), (0j, "-0.0, -0j"), ("a", "b'a'")],
)
def test_constants_match_by_value_type_and_sign(old: Any, others: str) -> None:
    code = code_of(f"def f():\n a = {old!r}\n return g({others})")
    before = [key(load.value) for load in loads_of(code)]
    after = [key(load.value) for load in loads_of(change(code, old, "new"))]

    assert [key("new") if text == key(old) else text for text in before] == after
    assert 1 == before.count(key(old))


def test_what_is_equal_matches_if_asked() -> None:
    f = function("def f(): return g(1, 1.0, True)", g=lambda *values: values)

    assert ("n", "n", "n") == patched(f, ReplaceConstant(old=1, new="n", loose=True))()


def test_similar_constants_are_told() -> None:
    found = problem(code_of("def f(): return g(1.0)"), 1, 2)

    assert isinstance(found, ConstantNotFound)
    assert (1.0,) == found.similar
    assert "loads float 1.0" in str(found)


def test_an_index_chooses_the_entry() -> None:
    code = code_of("def f(): return g(1000, 2000)")
    at = code.consts.index(2000)

    assert 7 == change(code, 2000, 7, index=at).consts[at]
    assert isinstance(problem(code, 1000, 7, index=at), ConstantNotFound)


def test_nested_code_on_request() -> None:
    source = "def f():\n def g():\n  return [1000, h()]\n return g"
    code = code_of(source)
    found = problem(code, 1000, 5)

    assert isinstance(found, ConstantNotFound)
    assert ("f.<locals>.g",) == found.nested
    assert "nested=True" in str(found)
    assert loaded(change(code, 1000, 5, nested=True)) == loaded(change(code, 1000, 5, code="g"))
    assert 5 in loaded(change(code, 1000, 5, nested=True))


def loaded(code: Code) -> list[Any]:
    inner = [each for each in code.consts if isinstance(each, Code)]
    return [load.value for each in inner for load in loads_of(each)]


def test_a_missing_code_object_is_told_with_those_there_are() -> None:
    found = problem(code_of(OUTER), 42, 5, code="other")

    assert isinstance(found, NothingSelected)
    assert "There are: outer, outer.<locals>.inner" in str(found)


def test_code_objects_of_one_name_are_told_apart_by_their_line() -> None:
    source = "def f():\n def g(): return h(1000)\n def g(): return h(1000)\n return g"
    code = code_of(source)
    found = problem(code, 1000, 5, code="g")

    assert isinstance(found, AmbiguousEdit)
    assert "g@2" in str(found)
    assert [(2, 5), (3, 1000)] == [
        (inner.firstlineno, load.value)
        for inner in change(code, 1000, 5, code="g@2").consts
        if isinstance(inner, Code)
        for load in loads_of(inner)
        if type(load.value) is int
    ]


# Docstrings


def test_a_docstring_alone_is_refused() -> None:
    found = problem(code_of('def f():\n "about"\n return g()'), "about", "new")

    assert isinstance(found, Refused)
    assert "is the docstring" in str(found)
    assert "__doc__" in str(found)


def test_a_constant_that_the_docstring_shares_leaves_it() -> None:
    f = function('def f():\n "about"\n return g("about")', g=lambda value: value)
    copy = patched(f, ReplaceConstant(old="about", new="new"))

    assert ("new", "about") == (copy(), copy.__doc__)


def test_a_string_never_becomes_the_docstring() -> None:
    f = function("def f(x):\n return g(None)", g=lambda value: value)
    copy = patched(f, ReplaceConstant(old=None, new="text"))

    assert ("text", None) == (copy(1), copy.__doc__)


def test_the_docstring_of_a_module_is_left_alone() -> None:
    code = from_code_object(compile('"about"\nx = g("about")', "m.py", "exec"))
    scope: dict[str, Any] = {"g": lambda value: value}
    exec(code_object(change(code, "about", "new")), scope)

    assert ("about", "new") == (scope["__doc__"], scope["x"])


# Constants inside constants, and tuples of names


def test_a_constant_inside_another_is_refused_and_both_ways_out_work() -> None:
    f = function("def f(x): return g(30), x in (30, 40)", g=lambda value: value)
    code = from_code_object(f.__code__)
    found = problem(code, 30, 5)

    assert isinstance(found, AmbiguousEdit)
    assert "(30, 40)" in str(found)
    edit = ReplaceConstant(old=30, new=5, folded="leave")
    assert (5, True) == patched(f, edit)(30)
    assert (5, False) == patched(f, replace(edit, folded="replace"))(30)
    assert (5, True) == patched(f, replace(edit, folded="replace"))(5)


def test_a_constant_that_is_only_inside_another_is_not_found() -> None:
    found = problem(code_of("def f(x): return x in {30, 40}"), 30, 5)

    assert isinstance(found, ConstantNotFound)
    assert [FrozenSet] == [type(value) for value in found.containers]
    assert "folded='replace'" in str(found)


def test_a_frozenset_and_a_slice_can_be_found_whole() -> None:
    f = function("def f(x): return x in {30, 40}")
    edit = ReplaceConstant(old=frozenset({40, 30}), new=frozenset({1}))

    assert (False, True) == (patched(f, edit)(30), patched(f, edit)(1))


def test_the_keywords_of_a_call_are_refused() -> None:
    found = problem(code_of("def f(): return g(key=h(), word=h())"), ("key", "word"), ("a", "b"))

    assert isinstance(found, Refused)
    assert "names the keywords" in str(found)


def test_a_keyword_is_no_use_of_its_name() -> None:
    f = function("def f(): return g('key', key=h())", g=lambda a, key: (a, key), h=lambda: 1)

    assert ("new", 1) == patched(f, ReplaceConstant(old="key", new="new"))()


def test_a_code_object_is_refused() -> None:
    code = code_of(OUTER)
    inner = next(constant for constant in code.consts if isinstance(constant, Code))

    assert isinstance(problem(code, inner, None), Refused)


@pytest.mark.parametrize("value", [[1], {}, object(), {1: 2}])
def test_what_is_no_constant_is_refused(value: Any) -> None:
    assert "is not a constant" in str(problem(code_of(OUTER), 42, value))


def test_a_live_object_is_one_if_its_identity_is_given() -> None:
    marker: list[int] = []
    f = function("def f(): return g(1000)", g=lambda value: value)
    edit = ReplaceConstant(old=1000, new=Opaque("builtins.list", id(marker)))

    assert marker is patched(f, edit, objects={id(marker): marker})()


# Other versions


def test_a_small_int_of_314_is_no_constant_and_is_replaced_all_the_same() -> None:
    instructions = [
        ("RESUME", 0),
        ("LOAD_SMALL_INT", 42),
        ("POP_TOP", 0),
        ("LOAD_SMALL_INT", 42),
        ("RETURN_VALUE", 0),
    ]
    code = built("3.14", instructions)
    code = replace(code, linetable=encode_locations([Location(5, NOWHERE)], 1))

    small = change(code, 42, 99)
    large = change(code, 42, 1000, where=opcode("LOAD_SMALL_INT"))

    assert [99, 99] == [load.value for load in loads_of(small)]
    assert (None,) == small.consts
    assert (None, 1000) == large.consts
    assert ["LOAD_CONST"] * 2 == [large.instructions.opname(at) for at in (1, 3)]


def test_a_common_constant_of_315_is_replaced() -> None:
    [code] = [
        code
        for code in load(
            (DATA / "3.15" / "functions.pyc").read_bytes(), table("3.15"), start=HEADER
        ).walk()
        if code.kind == "module"
    ]
    before = [load.value for load in loads_of(code) if load.slot is None]
    after = [load.value for load in loads_of(change(code, None, 1.5, compiler_made=True))]

    assert None in before
    assert None not in after
    assert 1.5 in after


@pytest.mark.parametrize("version", ["3.8", "3.9", "3.10"])
def test_old_versions_as_long_as_nothing_moves(version: str) -> None:
    code = built(version, [("LOAD_CONST", 1), ("RETURN_VALUE", 0)], consts=(None, 42))

    assert (None, 99) == apply(code, [ReplaceConstant(old=42, new=99)]).consts


def test_beyond_index_255_jumps_move_on() -> None:
    many = "; ".join(f"g({number}.5)" for number in range(300))
    f = function(
        f"def f(a):\n {many}\n while a:\n  a = h(a, 'x')\n return h(0, 'x')",
        g=lambda value: value,
        h=lambda a, text: (a - 1) if a else text,
    )
    edit = ReplaceConstant(old="x", new="y", where=at_line(5))
    code = from_code_object(f.__code__)
    new = change(code, "x", "y", where=at_line(5))

    assert "y" == patched(f, edit)(3)
    assert len(code.consts) + 1 == len(new.consts)
    assert code.stacksize == new.stacksize


def test_from_an_index_below_256_to_one_beyond() -> None:
    many = "; ".join(f"g({number}.5)" for number in range(300))
    source = f"def f(a):\n if g('x'):\n  a = g('x')\n {many}\n return a"
    f = function(source, g=lambda value: value)
    edit = ReplaceConstant(old="x", new="y", where=at_line(3))
    code = from_code_object(f.__code__)

    assert ("y", "x") == (patched(f, edit)(1), f(1))
    assert len(code.code) + 2 == len(change(code, "x", "y", where=at_line(3)).code)


def test_values_become_constants_of_the_model() -> None:
    assert FrozenSet((1, 2)) == modelled(frozenset({2, 1}))
    assert (Slice(1, None, None), b"") == modelled((slice(1, None), b""))


def test_a_wrong_word_for_folded_is_told() -> None:
    assert "'leave'" in str(problem(code_of(OUTER), 42, 1, folded="drop"))
