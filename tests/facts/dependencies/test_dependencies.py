"""What a function depends on, against tables written by hand."""

from __future__ import annotations

import functools
import gc
import json
import types
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from coscope.errors import NoCodeObject
from coscope.facts.dependencies.depends import Dependencies, depends
from coscope.facts.dependencies.rows import Dependency
from coscope.readers import read
from tests.facts.dependencies.dependency_cases import CASES, Case, built

DATA = Path(__file__).parents[2] / "render" / "data"

limit = 3


def row(found: Dependency) -> str:
    text = f"{found.access} {found.kind} {found.chain}"
    if found.empty:
        text += " <empty>"
    elif found.resolved not in (None, found.name):
        text += f" [{found.resolved}]"
    return text


def rows(found: Dependencies) -> list[str]:
    return [row(each) for each in found.items]


def made(source: str, target: str = "f") -> Any:
    return built(Case(source, (), target=target))


@pytest.fixture(params=[name for name, case in CASES.items() if case.here])
def case(request: pytest.FixtureRequest) -> Case:
    return CASES[request.param]


def test_names(case: Case) -> None:
    found = depends(built(case), transitive=case.transitive)

    assert sorted(case.rows) == sorted(rows(found))


def test_failures(case: Case) -> None:
    found = depends(built(case), transitive=case.transitive)

    assert list(case.failures) == [f"{each.error} {each.name}" for each in found.failures]


def test_dynamic(case: Case) -> None:
    found = depends(built(case), transitive=case.transitive)

    assert list(case.dynamic) == [each.function for each in found.dynamic]


def test_attributes(case: Case) -> None:
    found = depends(built(case), transitive=case.transitive)
    names = [each.name for each in found.attributes]

    assert case.attributes is None or list(case.attributes) == names


@pytest.mark.parametrize("name", [n for n, c in CASES.items() if c.here and c.failures])
def test_what_is_said_to_raise_does_raise(name: str) -> None:
    """Called with empty arguments, so that loops are not entered; and so is what it returns."""
    case = CASES[name]
    function = built(case)

    def call(result: Any) -> None:
        while callable(result):
            result = result(*[()] * result.__code__.co_argcount)

    error, name = case.failures[0].split()
    with pytest.raises(NameError, match=rf"\b{name}\b") as caught:
        call(function)

    assert error == type(caught.value).__name__


def test_the_objects_are_those_of_the_function() -> None:
    function = made("import os\ndef helper(): pass\ndef f(): return os.path.join, helper, len")
    found = depends(function)

    assert [function.__globals__["os"].path.join, function.__globals__["helper"], len] == [
        each.object for each in found.reads
    ]


def test_builtins_are_those_of_the_function() -> None:
    function = built(CASES["builtins replaced"])
    found = depends(function)

    assert function.__globals__["own"] is found.reads[0].object


def test_the_objects_are_those_of_the_moment() -> None:
    function = made("path = 'then'\ndef f(): return path")
    found = depends(function)
    function.__globals__["path"] = "now"

    assert "'then'" == found.reads[0].value.text  # type: ignore[union-attr]
    assert {"path": "then"} == found.bound


def test_cells_are_those_of_the_moment() -> None:
    function = made("def outer(c):\n    def f(): return c\n    return f", "outer(1)")
    found = depends(function)
    function.__closure__[0].cell_contents = 2

    assert 1 == found.reads[0].object


def test_lines_and_offsets_are_those_of_the_uses() -> None:
    function = made("def f():\n    len\n    x = len\n    return len")
    (only,) = depends(function).reads
    instructions = read(function).code.instructions
    offsets = [each.offset for each in instructions if each.opname == "LOAD_GLOBAL"]

    assert (2, 3, 4) == only.lines
    assert offsets == list(only.offsets)


def test_constants_are_those_that_are_loaded() -> None:
    source = "def f():\n    'doc'\n    return 1, 'two', lambda: 3.5, -0.0"
    found = depends(made(source))

    assert {"f": {"1", "'two'", "-0.0"}, "f.<lambda>": {"3.5"}} == {
        path: {repr(each.constant) for each in found.constants if ".".join(each.path) == path}
        - {"None", "'f.<locals>.<lambda>'"}
        for path in ("f", "f.<lambda>")
    }


def test_defaults_and_wrapped_functions_are_held() -> None:
    def g(x: int = 1, *, y: str = "two") -> None: ...

    @functools.wraps(g)
    def f(x: int = 3) -> None: ...

    held = {each.name: each.value.text for each in depends(f).held if each.name != "__annotate__"}

    assert {"default of x": "3", "__wrapped__": f"<function {g.__qualname__}>"} == held


def test_a_partial_and_a_method_hold_their_arguments() -> None:
    class K:
        def m(self, x: int, y: int) -> None: ...

    k = K()
    held = depends(functools.partial(k.m, 1, y=2)).held

    assert ["partial.args[0]", "partial.keywords['y']", "__self__"] == [
        each.name for each in held if each.name != "__annotate__"
    ]
    assert k is held[2].object


TARGETS: dict[str, Callable[[], Any]] = {
    "function": lambda: uses_limit,
    "snapshot": lambda: read(uses_limit),
    "method": lambda: types.MethodType(uses_limit, 1),
    "partial": lambda: functools.partial(uses_limit, 1),
    "cached": lambda: functools.lru_cache(uses_limit),
    "property": lambda: property(uses_limit),
    "code object": lambda: uses_limit.__code__,
    "name": lambda: f"{__name__}:uses_limit",
}


def uses_limit(x: object) -> int:
    return limit


@pytest.mark.parametrize("sort", TARGETS)
def test_every_sort_of_target(sort: str) -> None:
    assert ["read global uses_limit -> limit"] == rows(depends(TARGETS[sort]()))


def test_a_builtin_function_is_refused() -> None:
    with pytest.raises(NoCodeObject):
        depends(len)


def test_a_file_is_told_without_objects(tmp_path: Path) -> None:
    file = tmp_path / "orders.py"
    file.write_text("import os\npath = 1\ndef f(x):\n    return os.path.join(x), path, len(x)\n")
    found = depends(f"{file}::f")

    assert not found.live
    assert [
        ("os.path.join", "global", None),
        ("path", "global", None),
        ("len", "builtin", None),
    ] == [(each.name, each.kind, each.value) for each in found.reads]


def test_a_file_as_a_whole(tmp_path: Path) -> None:
    file = tmp_path / "orders.py"
    file.write_text("from os.path import *\npath = 1\ndef f(): return path\ndel path\n")

    assert [
        "write global <module> -> path",
        "write global <module> -> f",
        "delete global <module> -> path",
        "import import <module> -> os.path",
        "import import <module> -> os.path.*",
        "read global <module> -> f -> path",
    ] == rows(depends(file))


@pytest.mark.parametrize("file", sorted(DATA.glob("sample-*.pyc")), ids=lambda file: file.stem)
def test_compiled_files_of_every_version_tell_the_same(file: Path) -> None:
    found = depends(f"{file}::<module>".removesuffix("::<module>"))
    newest = depends(max(DATA.glob("sample-*.pyc")))

    assert {each.name for each in newest.items if each.kind == "global"} == {
        each.name for each in found.items if each.kind == "global"
    }


def test_nothing_of_the_objects_runs() -> None:
    class Hostile:
        def __getattribute__(self, name: str) -> Any:
            raise AssertionError(name)

        __repr__ = __eq__ = __hash__ = __getattribute__  # type: ignore[assignment]
        __call__ = __get__ = __getattribute__

    function = made("def f(): return thing, thing.x.y, K.attribute")
    function.__globals__["thing"] = Hostile()
    function.__globals__["K"] = type("K", (), {"attribute": Hostile()})
    function.__defaults__ = ()
    found = depends(function, transitive=True)

    assert ["K.attribute [K]", "thing", "thing.x.y [thing]"] == sorted(
        row(each).split(" f -> ")[1] for each in found.reads if each.path == ("f",)
    )
    assert str(found)


def test_names_that_are_no_text_are_passed_over() -> None:
    class Hostile:
        def __format__(self, spec: str) -> str:
            raise AssertionError

    function = made("def f(*, x): pass")
    function.__kwdefaults__ = {Hostile(): 1, "x": 2}
    function.__dict__[Hostile()] = 3

    assert ["default of x"] == [each.name for each in depends(function).held]


def test_nothing_is_kept_alive() -> None:
    class Thing: ...

    function = made("def f(): return thing, thing.x")
    thing = function.__globals__["thing"] = Thing()
    seen = weakref.ref(thing)
    found = depends(function)
    assert all([found.items, found.to_json(), str(found)])

    del function.__globals__["thing"], thing, found
    gc.collect()

    assert seen() is None


def test_the_document_is_strict_json() -> None:
    for case in CASES.values():
        if case.here:
            found = depends(built(case), transitive=case.transitive).to_json()

            assert found == json.loads(json.dumps(found, allow_nan=False))


def test_the_page_shows_the_path() -> None:
    found = depends(built(CASES["a helper, and what it uses"]), transitive=True)

    assert "f -> <lambda> -> helper -> LOCK" in str(found)


def test_the_page_keeps_to_its_width() -> None:
    wide = [
        line
        for case in CASES.values()
        if case.here
        for line in str(depends(built(case), transitive=case.transitive)).splitlines()
        if len(line) > 100
    ]

    assert [] == wide


def test_the_page_is_bounded_and_the_document_is_not() -> None:
    names = ", ".join(f"n{n}" for n in range(1000))
    found = depends(made(f"def f(): return [{names}]"))

    assert len(str(found).splitlines()) < 700
    assert 1000 == len(found.to_json()["dependencies"])


def test_it_says_what_it_is_of() -> None:
    assert "<Dependencies of uses_limit>" == repr(depends(uses_limit))
    assert "<Dependencies of uses_limit, helpers included>" == repr(
        depends(uses_limit, transitive=True)
    )


def test_libraries_are_entered_on_request() -> None:
    function = built(CASES["functions of libraries are not entered"])

    assert ("json",) == depends(function, transitive=True).libraries
    assert "f -> json.dumps" in [
        " -> ".join(each.path)
        for each in depends(function, transitive=True, libraries=True).reached
    ]
