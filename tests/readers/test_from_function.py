"""Snapshots of live code objects and functions."""

from __future__ import annotations

import dataclasses
import functools
import marshal
import os
import random
import sysconfig
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

import pytest

from coscope.codec.unmarshal import load
from coscope.model import Code, FrozenSet, Opaque
from coscope.opcodes import table
from coscope.readers import select
from coscope.readers.from_function import (
    HOST_RELEASE,
    HOST_VERSION,
    from_code_object,
    from_function,
)
from coscope.readers.from_source import from_source

FIELDS = [
    field.name
    for field in dataclasses.fields(Code)
    if field.name not in ("release", "consts", "_columns")
]


def library(count: int) -> list[Path]:
    """A fixed sample of standard library files and those with the oddest scopes; else our own."""
    root = Path(sysconfig.get_path("stdlib"))
    files = sorted(
        path for path in root.rglob("*.py") if path.is_file() and "site-packages" not in path.parts
    )
    if not files:  # inside Pyodide it is an archive
        return sorted(Path(__file__).parents[2].rglob("*.py"))[:60]
    odd = ("test_type_params", "test_listcomps", "test_super", "test_scope")
    return random.Random(2).sample(files, count) + [path for path in files if path.stem in odd]


def compiled(path: Path) -> CodeType | None:
    try:
        return compile(path.read_bytes(), str(path), "exec", dont_inherit=True)
    except (SyntaxError, ValueError):  # bad on purpose: test data
        return None


@pytest.mark.filterwarnings("ignore::SyntaxWarning", "ignore::DeprecationWarning")
def test_a_live_code_object_reads_as_its_marshalled_form() -> None:
    # Marshal writes localsplusnames and kinds, which Python code cannot see.
    differences = []
    seen = 0
    for path in library(20):
        co = compiled(path)
        if co is None:
            continue
        live = from_code_object(co)
        stored = load(marshal.dumps(co), table(HOST_VERSION))
        for ours, theirs in zip(live.walk(), stored.walk(), strict=True):
            seen += 1
            differences += [
                (path.name, ours.qualname, name)
                for name in FIELDS
                if getattr(ours, name) != getattr(theirs, name)
            ]

    assert [] == differences
    assert seen > 300


def test_version_and_release_are_those_of_the_host() -> None:
    code = from_code_object((lambda: None).__code__)

    assert (HOST_VERSION, HOST_RELEASE) == (code.version, code.release)
    assert HOST_RELEASE.startswith(f"{HOST_VERSION}.")


def test_constants_keep_their_types() -> None:
    consts = (1, 1.0, True, 1j, -0.0, "x", b"x", None, ..., 10**5000, "\ud800", (1, (2.0,)))
    co = (lambda: None).__code__.replace(co_consts=consts)

    read = from_code_object(co).consts

    assert repr(consts[:9]) == repr(read[:9])
    assert consts[9:] == read[9:]


def test_a_frozenset_constant_is_kept_in_order() -> None:
    held = frozenset({"a", "b", "c"})
    co = (lambda: None).__code__.replace(co_consts=(held,))

    assert (FrozenSet(tuple(held)),) == from_code_object(co).consts


def test_an_object_among_the_constants_is_kept_as_type_and_id() -> None:
    thing = [1, 2]
    co = (lambda: None).__code__.replace(co_consts=(thing, (thing,)))
    opaque = Opaque("list", id(thing))

    assert (opaque, (opaque,)) == from_code_object(co).consts


def test_a_subclass_of_a_constant_type_is_no_constant() -> None:
    class Number(int):
        pass

    number = Number(3)
    co = (lambda: None).__code__.replace(co_consts=(number,))

    read = from_code_object(co).consts[0]

    assert Opaque(f"{__name__}.{Number.__qualname__}", id(number)) == read


def test_code_that_stands_twice_among_the_constants_is_converted_once() -> None:
    inner = (lambda: None).__code__
    read = from_code_object(inner.replace(co_consts=(inner, inner, (inner,)))).consts

    assert read[0] is read[1]
    assert read[0] is read[2][0]


def test_deeply_nested_code_objects_do_not_exhaust_the_stack() -> None:
    co = (lambda: None).__code__
    for _ in range(5000):
        co = co.replace(co_consts=(co,))
    code = from_code_object(co)

    assert 5001 == sum(1 for _ in code.walk())
    while co.co_consts and isinstance(co.co_consts[0], CodeType):  # freed from the outside in
        co = co.co_consts[0]


def test_shared_code_objects_do_not_take_exponential_time() -> None:
    co = (lambda: None).__code__
    for _ in range(200):
        co = co.replace(co_consts=(co, co))
    code = from_code_object(co)

    assert code.consts[0] is code.consts[1]


def test_a_circle_through_an_object_ends_at_that_object() -> None:
    holder: list[Any] = []
    co = (lambda: None).__code__.replace(co_consts=(holder,))
    holder.append(co)

    assert (Opaque("list", id(holder)),) == from_code_object(co).consts


def sample(a: int, b: str = "x", /, *args: Any, key: float | None = 1.5, **rest: int) -> None:
    """Say nothing."""
    local = a
    return (lambda: (b, local))()  # type: ignore[return-value]


def test_a_function_is_read_with_all_that_is_around_it() -> None:
    read = from_function(sample)  # type: ignore[arg-type]

    assert ("sample", "sample", __name__) == (read.name, read.qualname, read.module)
    assert ("live", True, "Say nothing.") == (read.origin, read.live, read.doc)
    assert [("key", "1.5")] == [(name, value.text) for name, value in read.kwdefaults]
    assert ["'x'"] == [value.text for value in read.defaults]
    assert read.object is sample


def test_arguments_come_with_slot_kind_default_and_cell() -> None:
    read = from_function(sample)  # type: ignore[arg-type]
    shown = [
        (each.slot, each.name, each.kind, each.default and each.default.text, each.cell)
        for each in read.locals
    ]

    assert [
        (0, "a", "positional-only", None, False),
        (1, "b", "positional-only", "'x'", True),
        (2, "key", "keyword-only", "1.5", False),
        (3, "args", "*args", None, False),
        (4, "rest", "**kwargs", None, False),
        (5, "local", "cell", None, True),
    ] == shown


def test_annotations_are_text_and_are_not_evaluated() -> None:
    annotations = dict(from_function(sample).annotations)  # type: ignore[arg-type]

    assert {
        "a": "int",
        "b": "str",
        "args": "Any",
        "key": "float | None",
        "rest": "int",
        "return": "None",
    } == annotations


def test_cells_are_read_by_name_with_identity_and_value() -> None:
    def outer() -> Any:
        answer = 42

        def inner() -> int:
            return answer

        return inner

    inner = outer()
    (cell,) = from_function(inner).cells

    assert ("answer", 0, "42") == (cell.name, cell.index, cell.value and cell.value.text)
    assert id(inner.__closure__[0]) == cell.identity


def test_an_empty_cell_is_no_error() -> None:
    def outer() -> Any:
        def inner() -> Any:
            return later

        yield inner
        later = 1

    (cell,) = from_function(next(outer())).cells

    assert cell.empty


def test_a_closure_that_does_not_fit_its_code_is_read() -> None:
    def make() -> Any:
        x = 1
        return lambda: x

    function = make()
    other = function.__code__.replace(co_freevars=("x",))
    copy = FunctionType(other, {}, "copy", None, function.__closure__)

    assert ["x"] == [cell.name for cell in from_function(copy).cells]


def test_attributes_include_what_wraps_set() -> None:
    @functools.wraps(sample)
    def wrapper() -> None: ...

    names = [name for name, _ in from_function(wrapper).attributes]  # type: ignore[arg-type]

    assert ["__wrapped__"] == names


def test_the_source_is_the_file_of_the_function() -> None:
    source = from_function(sample).source  # type: ignore[arg-type]

    assert source is not None
    assert __file__ == source.file
    assert source.lines[sample.__code__.co_firstlineno - 1].startswith("def sample(")


def test_a_module_frozen_into_the_interpreter_has_the_source_of_its_file() -> None:
    if not os.path.isfile(os.path.__file__):
        pytest.skip("the standard library is not a folder of source files here")
    source = from_function(os.path.join).source  # type: ignore[arg-type]

    assert source is not None
    assert os.path.__file__ == source.file


def test_locals_of_an_inlined_comprehension_in_a_class_body_are_hidden() -> None:
    source = "class K:\n    xs = [i for i in (1, 2)]\n    ys = [lambda: j for j in (1, 2)]\n"
    body = select(from_source(source), "K")
    inlined = any(code.name == "<listcomp>" for code in body.code.walk())
    expected = {} if inlined else {"i": "hidden local", "j": "hidden local"}

    assert expected == {each.name: each.kind for each in body.locals if each.name in "ij"}
